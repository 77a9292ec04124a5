-- Cancelled under another's lease, or deleted by SQL: no settle call took them off the lease.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1), 1), test.claim(test.token(2), 1);
delete from messenger_messages where type = 'B';
select test.set_clock('2026-01-01 12:01Z');
select messenger_cancel(type => 'A');
select is((select count(*) from messenger.leases), 2::bigint, 'their leases are there');
select is(messenger.lock_expired(array['default']), '{}', 'a sweep finds nothing');
select is_empty('select * from messenger.leases', 'and they go');

-- Leases that are stuck, however many, hold up a sweep for a moment only.
insert into messenger.leases (token, leased_until, queues, ids, open)
select test.token(n), '2026-01-01 11:00Z', '{default}', array[n], 1 from generate_series(10, 1509) as n;
select test.dispatch('C');
select test.claim(test.token(3), lease_ms => 1000, sweep => false);
select test.set_clock('2026-01-01 12:02Z');
select is(messenger.lock_expired(array['default']), '{}', 'a thousand are looked at in a sweep');
select is(test.types_at(messenger.lock_expired(array['default'])), array['C'], 'the next sweep continues behind them');

select * from finish();
rollback;
