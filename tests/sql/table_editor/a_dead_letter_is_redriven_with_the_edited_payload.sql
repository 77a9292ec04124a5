-- To edit it does not redrive it; a deleted one is gone.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A');
select test.dead_letter('B');
update messenger_failed_messages set payload = '{"to": "ada@example.org"}' where type = 'A';
select is_empty('select from messenger_messages', 'it stays a dead letter');
delete from messenger_failed_messages where type = 'B';
select messenger_redrive(ids => array[test.id_of('A')]);
select results_eq(
  'select type, payload from messenger_messages', $$values ('A', '{"to": "ada@example.org"}'::jsonb)$$,
  'the redrive takes the edited payload'
);
select is_empty('select from messenger_failed_messages', 'no other is left');

select * from finish();
rollback;
