-- Of 20,000 messages, with and without statistics; the settle call has the same bound.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

create function pg_temp.settle_kept(worker integer) returns void
language sql
as $$
  select messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(worker), 'handled', jsonb_agg(m ->> 'id'),
    'kept', jsonb_agg(jsonb_build_object('id', m ->> 'id', 'keep_ms', 60000))
  )))
  from jsonb_array_elements(test.claim(test.token(worker)) -> 'messages') as m
$$;

select test.dispatch_many(20000);
select cmp_ok(
  test.rows_read_by('select pg_temp.settle_kept(1)'), '<', 2000::bigint, 'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by('select pg_temp.settle_kept(2)'), '<', 2000::bigint, 'with statistics'
);
select is((select count(*) from messenger_handled_messages), 200::bigint, 'all are remembered');

select * from finish();
rollback;
