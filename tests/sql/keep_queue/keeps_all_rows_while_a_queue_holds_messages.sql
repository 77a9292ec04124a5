-- A truncate fires no trigger of rows; what was paused would run.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'mail');
update messenger_queues set paused = true where name = 'mail';
select throws_ok(
  'truncate messenger_queues', 'PT409',
  'messenger_queues: is not truncated while queues hold messages, whose settings would be lost',
  'the queues alone'
);
select is((select paused from messenger_queues where name = 'mail'), true, 'all is as it was');
select lives_ok('truncate messenger_messages, messenger_queues', 'together with the messages');
select is_empty('select from messenger_queues', 'they are gone');
select lives_ok('truncate messenger_messages, messenger.start_grants, messenger_queues', 'and with their grants');
select lives_ok('truncate messenger_queues', 'with no messages');

select * from finish();
rollback;
