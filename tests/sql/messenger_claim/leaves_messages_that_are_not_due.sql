-- A delay is kept to the instant, whatever the priority.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('due', available_at => '2026-01-01 12:00Z');
select messenger_dispatch('future', priority => 9, available_at => '2026-01-01 12:00:00.001Z');

select is(
  test.types(test.claim(test.token(1)) -> 'messages'), array['due'],
  'the instant itself is due, the millisecond after it is not'
);
select test.set_clock('2026-01-01 12:00:00.001Z');
select is(
  test.types(test.claim(test.token(2)) -> 'messages'), array['future'],
  'until its time has come'
);

select * from finish();
rollback;
