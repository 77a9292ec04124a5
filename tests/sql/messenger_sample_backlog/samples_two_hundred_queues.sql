-- Bounded, however many queues hold messages.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, queue, available_at) select 'A', 'q' || n, messenger_now() from generate_series(1, 250) as n;
select cmp_ok(messenger_sample_backlog(), '<=', 200, 'at most 200');
select is((select max(due) from messenger.backlog_points where queue = ''), (
  select count(*)::integer from messenger.backlog_points where queue <> ''
), 'their sum has its row');

select * from finish();
rollback;
