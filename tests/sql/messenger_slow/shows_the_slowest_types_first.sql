-- Of the last hour, and since the installation.
begin;
select plan(1);
select test.set_clock('2026-01-01 10:00Z');

select messenger_record_series('[
  {"at": "2026-01-01T10:00:00Z", "queue": "a", "type": "Old", "handled": 2, "runs": [0, 0, 0, 2], "run_ms": 12000}
]');
select test.set_clock('2026-01-01 12:00Z');
select messenger_record_series('[
  {"at": "2026-01-01T11:59:00Z", "queue": "a", "type": "Fast", "handled": 4, "runs": [4], "run_ms": 2},
  {"at": "2026-01-01T11:59:00Z", "queue": "b", "type": "Slow", "failed": 1, "latency": [1], "runs": [0, 1], "run_ms": 2}
]');
select results_eq(
  'select type, queue, run_p99_ms, waited_p50_ms, attempts_last_hour, total_run_p50_ms, total_attempts, total_run_seconds
    from messenger_slow',
  $$values
    ('Slow', 'b', 2::double precision, 0.5::double precision, 1::bigint, 1.5::double precision, 1::bigint, 0.0::numeric),
    ('Fast', 'a', 1, null, 4, 0.5, 4, 0.0),
    ('Old', 'a', null, null, 0, 6, 2, 12.0)$$,
  'with what ran long ago at the end'
);

select * from finish();
rollback;
