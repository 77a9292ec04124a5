-- Of 20,000 messages, with and without statistics.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(20000);
create function pg_temp.settle(worker integer, ids jsonb) returns void
language sql
as $$
  select public.messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(worker)) || ids))
$$;
create temp table leased as
  select worker, jsonb_path_query_array(
    test.claim(test.token(worker)), '$.messages[*].id'
  ) as ids
  from generate_series(1, 6) as worker;
create temp table outcomes as
  select worker, case worker % 3
    when 0 then jsonb_build_object('handled', ids)
    when 1 then jsonb_build_object('retries', (
      select jsonb_agg(jsonb_build_object('id', id, 'delay_ms', 0, 'retry_count', 1))
      from jsonb_array_elements(ids) as id
    ))
    else jsonb_build_object('dead', (
      select jsonb_agg(jsonb_build_object('id', id, 'reason', 'exhausted'))
      from jsonb_array_elements(ids) as id
    ))
  end as ids
  from leased;

select cmp_ok(
  test.rows_read_by(format('select pg_temp.settle(%s, %L)', worker, ids)), '<', 1000::bigint,
  'without statistics'
) from outcomes where worker <= 3;
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by(format('select pg_temp.settle(%s, %L)', worker, ids)), '<', 1000::bigint,
  'with statistics'
) from outcomes where worker > 3;

select * from finish();
rollback;
