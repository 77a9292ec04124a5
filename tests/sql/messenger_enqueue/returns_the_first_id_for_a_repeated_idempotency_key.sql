-- Also after the message is done: the key outlives it for 24 hours.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create temp table first as
  select messenger_enqueue('[{"type":"first","idempotency_key":"k"}]') as answer;

select is(
  messenger_enqueue('[{"type":"first","idempotency_key":"k"}]'), (select answer from first),
  'a repeat returns the first id'
);
select is(
  array(select type from messenger_messages), array['first'], 'and writes nothing'
);
delete from messenger_messages where type = 'first';
select test.set_clock('2026-01-02 11:59:59Z');
select is(
  messenger_enqueue('[{"type":"first","idempotency_key":"k"}]'), (select answer from first),
  'also when the message is gone'
);

select * from finish();
rollback;
