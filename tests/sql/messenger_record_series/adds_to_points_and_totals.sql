-- Two ticks of one minute write one point.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00:30Z');

create temp table point as select '[{
  "at": "2026-01-01T12:00:00Z", "queue": "default", "type": "A", "handled": 2, "retried": 1, "failed": 0,
  "latency": [1, 2], "latency_ms": 5, "runs": [0, 0, 3], "run_ms": 10
}]'::jsonb as points;
select is(messenger_record_series((select points from point)), 1, 'it returns the number of points');
select messenger_record_series(jsonb_set((select points from point), '{0,latency}', '[0, 1, 4]'));

select results_eq(
  $$select p.at, p.minutes, p.handled, p.retried, p.failed, p.latency, p.runs
    from messenger.series_points p join messenger.series s on s.id = p.series_id where s.type = 'A'$$,
  $$values ('2026-01-01 12:00Z'::timestamptz, 1::smallint, 4, 2, 0, '{1,3,4}'::integer[], '{0,0,6}'::integer[])$$,
  'the minute has both'
);
select results_eq(
  $$select queue, type, handled, latency, latency_ms, runs, run_ms from messenger.series where type = 'A'$$,
  $$values ('default', 'A', 4::bigint, '{1,3,4}'::bigint[], 10::bigint, '{0,0,6}'::bigint[], 20::bigint)$$,
  'and so has the total'
);
select messenger_record_series('[
  {"at": "2026-01-03T12:00:00Z", "queue": "default", "type": "B", "handled": 1},
  {"at": "2025-12-01T12:00:00Z", "queue": "default", "type": "B", "handled": 1}
]');
select results_eq(
  $$select p.at, p.handled from messenger.series_points p join messenger.series s on s.id = p.series_id
    where s.type = 'B'$$,
  $$values ('2026-01-01 12:00Z'::timestamptz, 2)$$, 'a time that a wrong clock gives counts as now'
);
select results_eq(
  $$select p.handled, p.latency from messenger.series_points p join messenger.series s on s.id = p.series_id
    where s.type = ''$$,
  $$values (6, '{1,3,4}'::integer[])$$, 'all together have a point'
);
select throws_ok(
  $$select messenger_record_series('{}')$$, 'PT400', 'points: has to be an array of at most 5000', 'no array'
);
select throws_ok(
  $$select messenger_record_series((select jsonb_agg(1) from generate_series(1, 5001)))$$, 'PT400',
  'points: has to be an array of at most 5000', 'too many'
);

select * from finish();
rollback;
