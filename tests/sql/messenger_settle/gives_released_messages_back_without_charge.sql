-- A worker that stops in time gives back what it has not started.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', available_at => '2026-01-01 11:00Z');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'released', test.ids('A')
  ))),
  '{"stale":[]}', 'none is stale'
);
select results_eq(
  $$select status, attempts, retry_count, available_at, lease_token, leased_until
    from messenger_messages$$,
  $$values ('pending', 0, 0, '2026-01-01 11:00Z'::timestamptz, null::uuid, null::timestamptz)$$,
  'the row is as it was before the claim'
);
select is(
  test.types(test.claim(test.token(2)) -> 'messages'), array['A'], 'the next claim gets it'
);

select * from finish();
rollback;
