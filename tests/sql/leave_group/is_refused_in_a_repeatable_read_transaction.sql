-- It may not see what claims have blocked since its snapshot; others than the group's first may go.
begin isolation level repeatable read;
select plan(4);

select test.dispatch_to_group('g', 'A', 'B');
select messenger_dispatch('free');
update messenger_messages set blocked = true where type = 'B';
select throws_ok(
  $$delete from messenger_messages where type = 'A'$$,
  'PT409', 'messages of a group are removed in a read committed transaction only', 'a deletion'
);
select throws_ok(
  $$update messenger_messages set group_key = 'h' where type = 'A'$$,
  'PT409', 'messages of a group are removed in a read committed transaction only', 'a move'
);
select lives_ok($$delete from messenger_messages where type = 'B'$$, 'a message that is blocked');
select lives_ok($$delete from messenger_messages where type = 'free'$$, 'a message in no group');

select * from finish();
rollback;
