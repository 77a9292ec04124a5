-- A row for each queue, also for one without messages.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, available_at) values
  ('A', 'a', '2026-01-01 11:50Z'), ('A', 'a', '2026-01-01 11:51Z'), ('A', 'a', '2026-01-01 13:00Z');
update messenger_queues set paused = true, concurrency = 3 where name = 'a';
select messenger_record_series('[
  {"at": "2026-01-01T11:59:00Z", "queue": "a", "type": "A", "handled": 3, "latency": [0, 4], "runs": [0, 0, 0, 4]},
  {"at": "2026-01-01T11:58:00Z", "queue": "a", "type": "B", "failed": 1},
  {"at": "2026-01-01T10:58:00Z", "queue": "a", "type": "B", "failed": 1}
]');

select results_eq(
  $$select queue collate "default", paused, due, delayed, processing, oldest_ready_at, handled_last_hour, failed_last_hour,
      waited_p50_ms, run_p99_ms, concurrency, runs_on
    from messenger_queue_overview order by queue$$,
  $$values
    ('a', true, 2, 1, 0, '2026-01-01 11:50Z'::timestamptz, 3::bigint, 1::bigint, 1.5::double precision,
      8::double precision, 3, 'tick'),
    ('default', false, 0, 0, 0, null, 0, 0, null, null, null, 'tick')$$,
  'each queue as it is'
);
select messenger_claim(test.token(1), 2);
update messenger_queues set paused = false where name = 'a';
select messenger_claim(test.token(2), 2);
select results_eq(
  $$select due, processing from messenger_queue_overview where queue = 'a'$$, 'values (0, 2)', 'leased messages'
);

select * from finish();
rollback;
