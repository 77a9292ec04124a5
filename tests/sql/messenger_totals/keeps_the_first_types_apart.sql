-- The labels of metrics are bounded.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_record_series('[
  {"at": "2026-01-01T12:00:00Z", "queue": "a", "type": "A", "handled": 5, "latency": [1, 2], "latency_ms": 4},
  {"at": "2026-01-01T12:00:00Z", "queue": "b", "type": "A", "handled": 1, "latency": [0, 0, 3], "latency_ms": 9},
  {"at": "2026-01-01T12:00:00Z", "queue": "a", "type": "B", "failed": 3},
  {"at": "2026-01-01T12:00:00Z", "queue": "a", "type": "C", "retried": 2}
]');
create temp table total as
select t ->> 'type' as type, t from jsonb_array_elements(messenger_totals(1)) as t;
select results_eq(
  $$select type, (t ->> 'handled')::integer, (t ->> 'failed')::integer, (t ->> 'retried')::integer,
    (t ->> 'latency_ms')::integer from total order by type collate "C"$$,
  $$values ('(others)', 0, 3, 2, 0), ('A', 6, 0, 0, 13)$$, 'the others come together'
);
select is(
  (select t -> 'latency' from total where type = 'A'), to_jsonb('{1,2,3}'::integer[] || array_fill(0, array[25])),
  'a histogram is added up, with all of its buckets'
);

select messenger_record_series('[{"at": "2026-01-01T12:01:00Z", "queue": "a", "type": "C", "handled": 100}]');
select results_eq(
  $$select t ->> 'type', (t ->> 'handled')::integer from jsonb_array_elements(messenger_totals(1)) as t
    order by t ->> 'type' collate "C"$$,
  $$values ('(others)', 100), ('A', 6)$$, 'a type that becomes the busiest stays where it is: no counter shrinks'
);

select * from finish();
rollback;
