-- 5,000 groups with blocked messages: a thousand at once, the others by the sweeps that follow.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key, blocked, available_at)
select 'A', 'g' || n / 2, n % 2 = 1, messenger_now() + interval '1 day' from generate_series(1, 10001) n;
select cmp_ok(
  test.rows_read_by($$update messenger_queues set group_concurrency = 2$$), '<', 20000::bigint,
  'the update reads the groups of one step'
);
select is(cardinality(test.blocked()), 4001, 'and opens a thousand');
select test.claim(test.token(1));
select is(cardinality(test.blocked()), 3001, 'each claim that sweeps opens a thousand more');
select test.claim(test.token(n)) from generate_series(2, 6) n;
select is(test.blocked(), '{}', 'to the last');
select is_empty('select from messenger.groups_to_reopen', 'and nothing is left to be looked at');

select * from finish();
rollback;
