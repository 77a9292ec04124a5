-- A payload that was wrong, mended by an operator.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A'), test.dead_letter('B');
select messenger_redrive(ids => array[test.id_of('A')], payload => '{"to":"mended@b.c"}');
select is((select payload from messenger_messages), '{"to":"mended@b.c"}', 'the edited payload');
select messenger_redrive(ids => array[test.id_of('B')], payload => 'null');
select is(
  (select payload from messenger_messages where type = 'B'), 'null', 'also one that is null'
);
select is_empty('select id from messenger_failed_messages', 'both are redriven');

select * from finish();
rollback;
