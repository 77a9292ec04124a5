-- A settle call reads the groups of its messages once: a running message stays in its group.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_to_group('g', 'A', 'B');
select messenger_dispatch('free');
select test.claimed(1);
select throws_like(
  $$update messenger_messages set group_key = 'h' where type = 'A'$$,
  'group_key: message % runs, and keeps its queue and group until it is done', 'to another group'
);
select throws_like(
  $$update messenger_messages set queue = 'elsewhere' where type = 'A'$$,
  'group_key: message % runs, and keeps its queue and group until it is done', 'to another queue'
);
select throws_like(
  $$update messenger_messages set group_key = 'g' where type = 'free'$$,
  'group_key: message % runs, and keeps its queue and group until it is done', 'into a group'
);
select lives_ok(
  $$update messenger_messages set queue = 'elsewhere' where type = 'free'$$,
  'one without a group changes its queue'
);
select lives_ok(
  $$update messenger_messages set group_key = 'h' where type = 'B'$$, 'one that waits is moved'
);

select * from finish();
rollback;
