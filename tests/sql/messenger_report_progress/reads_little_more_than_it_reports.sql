-- Of 20,000 messages, with and without statistics.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(20000);
create temp table reports as
  select jsonb_agg(jsonb_build_object('id', m ->> 'id', 'token', test.token(1), 'value', 0.5)) as r
  from jsonb_array_elements(test.claim(test.token(1)) -> 'messages') as m;
select cmp_ok(
  test.rows_read_by('select messenger_report_progress(r) from reports'), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by('select messenger_report_progress(r) from reports'), '<', 1000::bigint,
  'with statistics'
);

select * from finish();
rollback;
