-- A cancelled message never runs again. The messages behind it were waiting for it.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', group_key => 'g'), messenger_dispatch('B', group_key => 'g'), messenger_dispatch('C');
select test.claim(test.token(1));
select messenger_cancel(type => 'A');
delete from messenger.leases;
select test.set_clock('2026-01-01 12:02Z');
select is(messenger.settle_unleased(), 2, 'two were running');
select results_eq(
  'select type, reason from messenger_failed_messages', $$values ('A', 'cancelled')$$, 'the cancelled one is dead'
);
select is(test.claimed(2), array['B', 'C'], 'and the next of its group runs');

select * from finish();
rollback;
