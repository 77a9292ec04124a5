-- Also messages that wait for their retry; messages outside the filter stay.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A', 'B', 'A');

select is(
  messenger_cancel(type => 'A') - '{left,missing,next}'::text[],
  '{"matched":2,"done":2,"running":0}', 'it says how many it cancelled'
);
select results_eq(
  'select type, reason, failed_at from messenger_failed_messages',
  $$values ('A', 'cancelled', messenger_now()), ('A', 'cancelled', messenger_now())$$,
  'they are dead letters, cancelled'
);
select results_eq('select type from messenger_messages', $$values ('B')$$, 'the other waits on');

select * from finish();
rollback;
