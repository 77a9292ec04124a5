-- Messages that no schedule has made cost nothing more.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, schedule_type, cron)
values (7, 'A', 'cron', '@daily');
select messenger_trigger_schedule(7) from generate_series(1, 3);
select test.dispatch('B');
select test.claim(test.token(1));
create temp table message as
  select id, row_number() over (order by id) as n from messenger_messages;
select test.set_clock('2026-01-01 12:05Z');
select is(
  test.rows_read_by($$select messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', (select jsonb_agg(id::text) from message where n = 4)
  )))$$, 'messenger_schedule_runs'), 0::bigint, 'no look at the runs'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', (select jsonb_agg(id::text) from message where n = 1),
  'dead', (
    select jsonb_agg(jsonb_build_object('id', id, 'reason', 'exhausted')) from message where n = 2
  )
)));
select results_eq(
  $$select m.n, r.outcome, r.reason, r.finished_at
    from messenger_schedule_runs r join message m on m.id = r.message_id order by m.n$$,
  $$values (1::bigint, 'handled', null, '2026-01-01 12:05Z'::timestamptz),
    (2, 'failed', 'exhausted', '2026-01-01 12:05Z'), (3, 'enqueued', null, null)$$,
  'each its outcome'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(9), 'handled', (select jsonb_agg(id::text) from message where n = 3)
)));
select is(
  (select count(*)::integer from messenger_schedule_runs where outcome = 'enqueued'), 1,
  'none for a stale settlement'
);

select * from finish();
rollback;
