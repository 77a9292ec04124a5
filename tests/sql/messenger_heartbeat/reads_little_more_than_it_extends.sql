-- Of 20,000 messages, with and without statistics.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(20000);
create temp table leases as
  select jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'ids', jsonb_path_query_array(test.claim(test.token(1)), '$.messages[*].id')
  )) as leases;
select cmp_ok(
  test.rows_read_by('select messenger_heartbeat(leases) from leases'), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by('select messenger_heartbeat(leases) from leases'), '<', 1000::bigint,
  'with statistics'
);

select * from finish();
rollback;
