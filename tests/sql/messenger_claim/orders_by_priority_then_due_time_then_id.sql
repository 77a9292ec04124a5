-- The most urgent message comes first; among equals, the one that has waited longest.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('fourth', available_at => '2026-01-01 11:30Z');
select messenger_dispatch('fifth', available_at => '2026-01-01 11:30Z');
select messenger_dispatch('third', available_at => '2026-01-01 11:00Z');
select messenger_dispatch('last', priority => -5, available_at => '2026-01-01 10:00Z');
select messenger_dispatch('second', priority => 5, available_at => '2026-01-01 11:50Z');
select messenger_dispatch('first', priority => 5, available_at => '2026-01-01 11:40Z');

select is(
  test.types(test.claim(test.token(1)) -> 'messages'),
  array['first', 'second', 'third', 'fourth', 'fifth', 'last'],
  'priority decides, then the due time, then the id'
);

select * from finish();
rollback;
