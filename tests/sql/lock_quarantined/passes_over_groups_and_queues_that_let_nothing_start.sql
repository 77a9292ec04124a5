-- A message that has to run alone waits for its turn and its place like any other.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.alone() returns text[] language sql as $$
  select test.types_at(messenger.lock_quarantined(array['default', 'mail', 'slow']))
$$;

insert into messenger_queues (name, concurrency, rate_limit) values ('mail', 1, null), ('slow', null, 1);
select test.dispatch_to_group('g', 'A', 'B');
select messenger_dispatch('running', queue => 'mail');
select test.claimed(1);
select test.dispatch_many(12, 'mail', 'full');
select messenger_dispatch('slow', queue => 'slow');
update messenger_messages set quarantined = true, blocked = false where status = 'pending';

select is(
  messenger.lock_quarantined(array['slow'], 0), '{}', 'none of a queue with a rate for a worker without slots'
);
select is(pg_temp.alone(), array['slow'], 'what stands behind the others is found');
select messenger.grant_starts('slow', 1, 250);
select is(pg_temp.alone(), '{}', 'a rate that is used up');
select is(test.blocked(), array['B'], 'what is out of turn is blocked');
select is(
  test.claim(test.token(2), run_alone => true) -> 'quarantined_due', 'false', 'no worker asks again for now'
);
select test.handle(1, 'running');
select is(cardinality(pg_temp.alone()), 1, 'a place that is free');
select test.handle(1, 'A');
select is(
  test.types_at(messenger.lock_quarantined(array['default'])), array['B'], 'a turn that has come'
);

select * from finish();
rollback;
