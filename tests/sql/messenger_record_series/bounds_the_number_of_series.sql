-- A type for each tenant must not become a label for each tenant.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.record(queues integer, types integer) returns integer
language sql
as $$
  select messenger_record_series((
    select jsonb_agg(jsonb_build_object(
      'at', '2026-01-01T12:00:00Z', 'queue', 'q' || q, 'type', 'T' || t, 'handled', 1
    ))
    from generate_series(1, queues) as q, generate_series(1, types) as t
  ))
$$;
select is(pg_temp.record(400, 1), 400, 'a queue for each tenant');
select is((select count(*) from messenger.series), 303::bigint, 'has 300 series, one for the other queues, one for all others and one for all');
select pg_temp.record(1, 400);
select is((select count(*) from messenger.series), 400::bigint, '97 types more have theirs');
select is((select sum(handled) from messenger.series where type <> ''), 800::numeric, 'and every message is counted');

select * from finish();
rollback;
