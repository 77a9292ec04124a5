-- A row that waits is gone. A running one loses its lease: its worker stops the handler, and its outcome is not written.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at) values
  ('Running', '2026-01-01 11:00Z'), ('Waiting', '2026-01-01 11:30Z');
select test.claim(test.token(1), 1);
create temp table running as select test.ids('Running') as ids;
delete from messenger_messages where type in ('Running', 'Waiting');
select is(test.types(test.claim(test.token(2)) -> 'messages'), '{}', 'the waiting one is not claimed');
select is(
  messenger_heartbeat(jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', (select ids from running))))
    -> 'lost', (select ids from running), 'the worker of the other is told at its heartbeat'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', (select ids from running))))
    -> 'stale', (select ids from running), 'its outcome is not written'
);
select is_empty('select from messenger_failed_messages', 'and it is no dead letter');

select * from finish();
rollback;
