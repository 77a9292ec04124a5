-- The order holds for what is claimed, not only within a claim.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('later', priority => 5, available_at => '2026-01-01 11:59Z');
select messenger_dispatch('low', priority => -1, available_at => '2026-01-01 10:00Z');
select messenger_dispatch('sooner', priority => 5, available_at => '2026-01-01 11:58Z');
select messenger_dispatch('middle', available_at => '2026-01-01 10:00Z');

select is(
  test.types(test.claim(test.token(1), max_messages => 3) -> 'messages'),
  array['sooner', 'later', 'middle'],
  'the least urgent is left'
);

select * from finish();
rollback;
