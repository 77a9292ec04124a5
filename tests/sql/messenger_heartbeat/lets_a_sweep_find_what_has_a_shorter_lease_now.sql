-- The lease of a queue was shortened after the claim: from the next heartbeat on its messages come back sooner.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'quick');
select test.claimed(1);
select messenger_set_queue('quick', '{"lease_ms":1000}');
select test.set_clock('2026-01-01 12:00:10Z');
select messenger_heartbeat(jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids('A'))));
select is(test.claim(test.token(2)) -> 'crashed', '[]', 'its lease runs');
select test.set_clock('2026-01-01 12:00:11Z');
select is(
  test.types(test.claim(test.token(3)) -> 'crashed'), array['A'], 'a sweep finds it when the shorter lease has ended'
);

select * from finish();
rollback;
