-- Runs after a restore get ids that no message and no dead letter has, and the records name them.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

-- Ids that other tests have drawn from the sequence stay drawn.
select setval('messenger_messages_id_seq', 1, false);
select test.dispatch('W');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select 1000000000 + n, 'D', '{}', 'default', 'exhausted', now() from generate_series(1, 3) as n;
insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at, group_key)
values (7, 'A', 'cron', '@daily', '2026-01-01 12:00Z', null), (8, 'A', 'cron', '@daily', '2026-01-01 12:00Z', 'g');
select messenger_claim_schedules(test.token(1));
select setval('messenger_messages_id_seq', 1, false);
select is(
  messenger_advance_schedules(test.token(1), (
    select jsonb_agg('{
      "next_run_at": "2026-01-02T12:00:00.000Z",
      "occurrences": [{"occurrence": "2025-12-31T12:00:00.000Z"}, {"occurrence": "2026-01-01T12:00:00.000Z"}]
    }'::jsonb || jsonb_build_object('id', s.id)) from messenger_schedules s
  )),
  '{"dispatched": 4, "skipped": 0, "stale": []}', 'all are written'
);
select results_eq(
  $$select id from messenger_messages where type = 'A' order by id$$,
  'select 1000000003::bigint + n from generate_series(1, 4) as n', 'behind what is there'
);
select results_eq(
  'select last_message_id from messenger_schedules order by id',
  'values (1000000005::bigint), (1000000007)', 'the schedules know their latest'
);

select * from finish();
rollback;
