-- After a restore of the schema public alone, or a delete in messenger.leases, no sweep finds it.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B', 'C');
select test.claim(test.token(1), 1), test.claim(test.token(2), 1), test.claim(test.token(3), 1);
delete from messenger.leases where token = test.token(1);
update messenger.leases set ids = array[-1] where token = test.token(2);
select is(messenger.settle_unleased(), 0, 'as long as its lease has not ended, its worker may still run it');

select test.set_clock('2026-01-01 12:02Z');
select test.claim(test.token(4));
select is((select status from messenger_messages where type = 'A'), 'processing', 'a sweep does not find it');
select is(messenger.settle_unleased(), 2, 'it comes back, also where the lease names other messages');
select results_eq(
  $$select type, status, attempts, retry_count, interruptions, quarantined, lease_token from messenger_messages
    where type in ('A', 'B') order by type$$,
  $$values ('A', 'pending', 0, 0, 1, false, null::uuid), ('B', 'pending', 0, 0, 1, false, null)$$,
  'interrupted, and not charged'
);
select is(
  (select array_agg(m.errors -> -1 ->> 'class') from messenger_messages m where m.type in ('A', 'B')),
  array['LeaseLostError', 'LeaseLostError'], 'its history says why'
);
select is(test.claimed(5), array['A', 'B'], 'the next claim takes it');
select is(messenger.settle_unleased(), 0, 'and no message that a lease names');

select * from finish();
rollback;
