-- A message that goes through another transport waits in the outbox, then in its engine, until its delivery is settled.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
select messenger_declare_routing('{"events": true}', '{"A": "events"}');
insert into messenger_schedules (name, message_type, schedule_type, cron, overlap)
values ('skips', 'A', 'cron', '* * * * *', 'skip');
create function pg_temp.outcome(worker integer) returns text language plpgsql as $$
declare
  schedule bigint := (select id from messenger_schedules);
  occurrence timestamptz := '2026-01-01 12:00Z'::timestamptz + worker * interval '1 minute';
begin
  perform messenger_claim_schedules(test.token(worker));
  perform messenger_advance_schedules(test.token(worker), jsonb_build_array(jsonb_build_object(
    'id', schedule, 'occurrences', jsonb_build_array(jsonb_build_object(
      'occurrence', occurrence,
      'message', '{"type":"A","transport":"events"}'::jsonb
    ))
  )));
  return (select outcome from messenger_schedule_runs r where r.occurrence = $_$2026-01-01 12:00Z$_$::timestamptz
    + worker * interval '1 minute');
end
$$;
create function pg_temp.publish() returns void language sql as $$
  select messenger_finish_outbox('events', (c ->> 'shard')::integer, test.token(90), array(
    select (m ->> 'position')::bigint from jsonb_array_elements(c -> 'messages') as m
  )) from messenger_claim_outbox('events', test.token(90)) as c
$$;

select is(pg_temp.outcome(1), 'enqueued', 'the first run');
select is(pg_temp.outcome(2), 'skipped', 'none while its message waits in the outbox');
select throws_ok(
  $$ select messenger_trigger_schedule(id) from messenger_schedules $$, 'PT409',
  'overlap: the run before is still waiting or running', 'nor one that is triggered'
);
select pg_temp.publish();
select is(pg_temp.outcome(3), 'skipped', 'none while its engine has the message');
select messenger_settle_deliveries('events', jsonb_build_array(jsonb_build_object(
  'id', last_message_id, 'origin', messenger.installation_id(), 'source_id', last_message_id, 'publication', 1
))) from messenger_schedules;
select is(pg_temp.outcome(4), 'enqueued', 'and one once it is handled');
select is(pg_temp.outcome(5), 'skipped', 'which waits again');

select * from finish();
rollback;
