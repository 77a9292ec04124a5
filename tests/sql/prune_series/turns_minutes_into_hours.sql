-- After a day; and after 30 days nothing is left but the totals.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:30Z');

create function pg_temp.record(at timestamptz, handled integer) returns void
language sql
as $$
  select messenger_record_series(jsonb_build_array(jsonb_build_object(
    'at', at, 'queue', 'default', 'type', 'A', 'handled', handled, 'latency', array[handled, 1], 'runs', array[1]
  )));
  insert into messenger.backlog_points (at, queue, due, oldest_s) values (at, '', handled, 10 * handled);
$$;
select pg_temp.record('2026-01-01 12:10Z', 1);
select pg_temp.record('2026-01-01 12:20Z', 2);
select test.set_clock('2026-01-01 13:30Z');
select pg_temp.record('2026-01-01 13:10Z', 4);

select test.set_clock('2026-01-02 12:59Z');
select is(messenger.prune_series(1000, false), 0, 'a day is kept by the minute');
select test.set_clock('2026-01-02 13:30Z');
select is(messenger.prune_series(1000, false), 6, 'then whole hours are added up');
select results_eq(
  $$select p.minutes, p.at, p.handled, p.latency, p.runs
    from messenger.series_points p join messenger.series s on s.id = p.series_id where s.type = 'A' order by p.at$$,
  $$values (60::smallint, '2026-01-01 12:00Z'::timestamptz, 3, '{3,2}'::integer[], '{2}'::integer[]),
    (1::smallint, '2026-01-01 13:10Z', 4, '{4,1}', '{1}')$$, 'the counts are added'
);
select results_eq(
  'select minutes, at, due, oldest_s from messenger.backlog_points order by at',
  $$values (60::smallint, '2026-01-01 12:00Z'::timestamptz, 2, 20), (1::smallint, '2026-01-01 13:10Z', 4, 40)$$,
  'of the backlog the largest numbers stay'
);
select test.set_clock('2026-02-01 00:00Z');
select is(messenger.prune_series(1000, true), 6, 'a dry run counts what is 30 days old');
select messenger.prune_series(1000, false);
select is_empty('select from messenger.series_points', 'which is deleted');
select is_empty('select from messenger.backlog_points', 'of both');
select test.set_clock('2026-03-01 00:00Z');
select messenger.prune_series(1000, false);
select results_eq(
  'select queue, type, handled from messenger.series where handled > 0 and type <> ''''',
  $$values ('(others)', 'A', 7::bigint)$$, 'a series without points is added to those of other queues'
);
select is(
  (messenger_prune(failed_older_than => '30 days') ->> 'series')::integer, 0, 'pruning tells how many'
);

select * from finish();
rollback;
