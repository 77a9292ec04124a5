-- One bad message among good ones fails the call.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_enqueue('[{"type":"good"},{"type":"bad","priority":2000}]')$$,
  'PT400', null, 'a priority out of bounds is refused'
);
select is_empty('select id from messenger_messages', 'the good message beside it is not written');

select * from finish();
rollback;
