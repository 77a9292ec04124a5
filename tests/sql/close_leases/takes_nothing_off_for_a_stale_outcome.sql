begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.settle(token uuid, type text) returns jsonb language sql as $$
  select messenger_settle(jsonb_build_array(
    jsonb_build_object('token', token, 'handled', test.ids(type))
  ))
$$;

select test.dispatch('A', 'B');
select test.claim(test.token(1), 1), test.claim(test.token(2), 1);
create temp table leases as select * from messenger.leases;
select pg_temp.settle(test.token(1), 'B'), pg_temp.settle(test.token(3), 'A');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'handled', '["987654"]'::jsonb
)));
select messenger_settle('[]');
select set_eq('select * from messenger.leases', 'select * from leases', 'what is another''s or gone');

select test.set_clock('2026-01-01 12:01Z');
create temp table sweep as select test.claim(test.token(4)) as answer;
select is(pg_temp.settle(test.token(1), 'A'), jsonb_build_object('stale', test.ids('A')), 'too late');
select results_eq(
  'select token, open from messenger.leases',
  $$select (answer ->> 'crashed_token')::uuid, 2 from sweep$$, 'the sweeper''s lease is whole'
);
select messenger_cancel(type => 'A');
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', (select answer ->> 'crashed_token' from sweep),
  'released', test.ids('A'), 'handled', test.ids('B')
)));
select is_empty(
  'select * from messenger.leases', 'one that is buried instead of coming again is taken off once'
);

select * from finish();
rollback;
