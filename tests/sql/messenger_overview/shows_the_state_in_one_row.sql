-- For the table editor.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select results_eq(
  'select queues_in_use, due, processing, dead_letters, problems from messenger_overview',
  $$values (0::bigint, 0::numeric, 0::numeric, 0, '{"no tick has begun for 3 minutes"}'::text[])$$,
  'an empty bus without ticks'
);
insert into messenger_messages (type, queue, available_at) values
  ('A', 'a', '2026-01-01 11:50Z'), ('A', 'a', '2026-01-01 11:51Z'), ('A', 'b', '2026-01-01 11:52Z'),
  ('A', 'b', '2026-01-01 13:00Z');
select messenger_claim(test.token(1), 1, queues => '{a}');
select test.dead_letter('A');
select test.dead_letter('A', failed_at => '2026-01-01 10:00Z');
insert into messenger_queues (name, paused) values ('c', true);
insert into messenger_schedules (message_type, schedule_type, interval_ms, next_run_at)
values ('A', 'interval', 60000, '2026-01-01 11:00Z');
insert into messenger_ticks (started_at, rested_at, ended_at)
values ('2026-01-01 11:59Z', '2026-01-01 11:59Z', '2026-01-01 11:59Z');
select messenger_record_series('[{
  "at": "2026-01-01T11:59:00Z", "queue": "a", "type": "A", "handled": 3, "retried": 2, "failed": 1,
  "latency": [0, 4], "runs": [0, 0, 0, 4]
}]');

select results_eq(
  $$select queues_in_use, due, delayed, processing, oldest_ready_at, dead_letters, dead_letters_last_hour,
      queues_paused, schedules_enabled, schedules_overdue_since, last_tick_at
    from messenger_overview$$,
  $$values (2::bigint, 2::numeric, 1::numeric, 1::numeric, '2026-01-01 11:51Z'::timestamptz, 2, 1,
    1::bigint, 1::bigint, '2026-01-01 11:00Z'::timestamptz, '2026-01-01 11:59Z'::timestamptz)$$,
  'what waits, runs, failed and comes'
);
select results_eq(
  $$select handled_last_hour, retried_last_hour, failed_last_hour, waited_p50_ms, run_p99_ms
    from messenger_overview$$,
  $$values (3::bigint, 2::bigint, 1::bigint, 1.5::double precision, 8::double precision)$$, 'and the last hour'
);
select is(
  (select problems from messenger_overview),
  '{"a message has been due for more than 5 minutes","a schedule is overdue for more than 5 minutes"}',
  'faults are told'
);

select * from finish();
rollback;
