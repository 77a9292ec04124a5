-- One row a message; another worker's report is left out.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1));
create function pg_temp.report(worker integer, type text, value numeric, note text) returns void
language sql
as $$
  select messenger_report_progress(jsonb_build_array(jsonb_build_object(
    'id', test.id_of(type)::text, 'token', test.token(worker), 'value', value, 'note', note
  )))
$$;
select pg_temp.report(1, 'A', 0.2, 'first');
select test.set_clock('2026-01-01 12:01Z');
select pg_temp.report(1, 'A', 0.5, null);
select pg_temp.report(2, 'B', 0.9, 'a stranger');
select results_eq(
  'select message_id, value, note, at from messenger.progress',
  $$values (
    test.id_of('A'), 0.5::double precision, null::text, '2026-01-01 12:01Z'::timestamptz
  )$$,
  'the latest of the lease''s worker'
);
select throws_ok(
  $$select pg_temp.report(1, 'A', 1.5, null)$$, 'PT400', 'reports.0.value: has to be from 0 to 1 (was 1.5)',
  'more than all is refused'
);
select throws_ok(
  $$select pg_temp.report(1, 'A', 1, repeat('x', 201))$$, 'PT400',
  format('reports.0.note: has to be from 0 to 200 characters (was "%s)', repeat('x', 59)), 'so is a long note'
);
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(2), 'handled', test.ids('A'), 'progressed', test.ids('A')
)));
select isnt_empty('select value from messenger.progress', 'a stale settle leaves it');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', test.ids('A', 'B'), 'progressed', test.ids('A')
)));
select is_empty('select value from messenger.progress', 'it goes with its message');

select * from finish();
rollback;
