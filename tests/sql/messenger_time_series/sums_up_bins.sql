-- Of all queues and types, or of one.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:05:30Z');

select messenger_record_series('[
  {"at": "2026-01-01T12:01:00Z", "queue": "a", "type": "A", "handled": 1, "latency": [1], "runs": [0, 1]},
  {"at": "2026-01-01T12:02:00Z", "queue": "a", "type": "A", "handled": 2, "latency": [0, 0, 2], "runs": [0, 2]},
  {"at": "2026-01-01T12:02:00Z", "queue": "b", "type": "B", "failed": 3}
]');
insert into messenger.backlog_points (at, queue, due, oldest_s)
values ('2026-01-01 12:02Z', '', 7, 60), ('2026-01-01 12:02Z', 'a', 7, 60), ('2026-01-01 12:03Z', '', 5, 120);

create temp table series as
select messenger_time_series('2026-01-01 12:01:20Z', '2026-01-01 12:05Z', 120) as answer;
select is(
  (select answer - 'points' from series),
  '{"from": "2026-01-01T12:00:00+00:00", "until": "2026-01-01T12:05:00+00:00", "step_seconds": 120}',
  'it begins with a whole bin'
);
select is(
  (select jsonb_agg(p -> 'handled') from series, jsonb_array_elements(answer -> 'points') as p), '[1, 2, 0]',
  'each bin has its messages'
);
select is(
  (select answer -> 'points' -> 1 from series) - 'latency_ms' - 'run_ms',
  '{"at": "2026-01-01T12:02:00+00:00", "handled": 2, "retried": 0, "failed": 3,
    "backlog": {"due": 7, "delayed": 0, "blocked": 0, "processing": 0, "oldest_ready_seconds": 120}}',
  'and the largest backlog of its minutes'
);
select is(
  (select answer -> 'points' -> 1 -> 'latency_ms' from series), '{"p50": 3, "p99": 4}', 'half and 99 % of the waits'
);
select is(
  messenger_time_series('2026-01-01 12:02Z', '2026-01-01 12:03Z', type => 'B') -> 'points' -> 0,
  '{"at": "2026-01-01T12:02:00+00:00", "handled": 0, "retried": 0, "failed": 3, "latency_ms": null, "run_ms": null,
    "backlog": null}',
  'a type has no backlog'
);
select is(
  messenger_time_series('2026-01-01 12:02Z', '2026-01-01 12:03Z', queue => 'a') -> 'points' -> 0 ->> 'failed', '0',
  'one queue'
);
select is(
  jsonb_array_length(messenger_time_series() -> 'points'), 61, 'the last hour by the minute, the present one included'
);

select * from finish();
rollback;
