-- The key is a place in the order of the claim, not in one priority of it.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('first', priority => 5, available_at => '2026-01-01 11:59Z');
select messenger_dispatch('second', priority => 5, available_at => '2026-01-01 12:00Z');
select messenger_dispatch('third', available_at => '2026-01-01 11:00Z');
select messenger_dispatch('fourth', priority => -5, available_at => '2026-01-01 10:00Z');
create temp table first as select test.claim(test.token(1), max_messages => 1) as answer;

select is(
  test.types(test.claim(
    test.token(2), last_keys => (select answer -> 'last_keys' from first)
  ) -> 'messages'),
  array['second', 'third', 'fourth'],
  'what comes later in the order is found, also when it is older'
);

select * from finish();
rollback;
