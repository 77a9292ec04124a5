-- As a message's are left out, which an edit wrote.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron, next_run_at, stamps)
select 'A', 'cron', '@daily', '2026-01-01 12:00Z', s::jsonb from unnest('{null,5,"\"x\"",[],"{\"mine\":1}"}'::text[]) as s;
select messenger_claim_schedules(test.token(1));
select is(
  messenger_advance_schedules(test.token(1), (
    select jsonb_agg('{
      "next_run_at": "2026-01-02T12:00:00.000Z", "occurrences": [{"occurrence": "2026-01-01T12:00:00.000Z"}]
    }'::jsonb || jsonb_build_object('id', s.id)) from messenger_schedules s
  )),
  '{"dispatched": 5, "skipped": 0, "stale": []}', 'each makes its message'
);
select bag_eq(
  $$select stamps - 'schedule' from messenger_messages$$,
  $$values ('{}'::jsonb), ('{}'), ('{}'), ('{}'), ('{"mine": 1}')$$, 'with the stamps that are an object'
);

select * from finish();
rollback;
