-- From now on, for so long; whatever was left of the lease.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C');
select test.claim(test.token(1), 1), test.claim(test.token(2), 1), test.claim(test.token(3), 1);
select test.set_clock('2026-01-01 12:00:40Z');
select is(
  messenger_heartbeat(jsonb_build_array(
    jsonb_build_object('token', test.token(1), 'ids', test.ids('A')),
    jsonb_build_object('token', test.token(2), 'ids', test.ids('B'))
  ), lease_ms => 30000),
  '{"lost":[],"cancelled":[]}', 'none is lost'
);
select results_eq(
  'select type, leased_until, attempts from messenger_messages order by id',
  $$values ('A', '2026-01-01 12:01:10Z'::timestamptz, 1), ('B', '2026-01-01 12:01:10Z', 1),
    ('C', '2026-01-01 12:01:00Z', 1)$$,
  'the leases named run on, the other does not'
);

select * from finish();
rollback;
