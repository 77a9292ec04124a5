-- Runs of a schedule, and messages of others with its group's key.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'before');
insert into messenger_schedules (id, message_type, schedule_type, interval_ms, next_run_at, group_key)
values (7, 'run', 'interval', 60000, '2026-01-01 12:00Z', 'g');
select messenger_claim_schedules(test.token(1));
select messenger_advance_schedules(test.token(1), '[{
  "id": 7, "next_run_at": "2026-01-01T12:01:00Z",
  "occurrences": [{"occurrence": "2026-01-01T11:59:00Z"}, {"occurrence": "2026-01-01T12:00:00Z"}]
}]');
select is(test.claimed(2), array['before'], 'a run waits for what came before it');
select test.handle(2, 'before');
create temp table first as select test.claim(test.token(3)) -> 'messages' as messages;
select is(
  (select jsonb_path_query_array(messages, '$[*].stamps.schedule.run') from first), '[1]',
  'the first run'
);
select is(test.claimed(4), '{}', 'the second waits for it');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(3), 'grouped', true,
  'handled', (select jsonb_path_query_array(messages, '$[*].id') from first)
)));
select is(test.claimed(5), array['run'], 'and has its turn then');

select * from finish();
rollback;
