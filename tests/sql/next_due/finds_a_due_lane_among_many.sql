-- Neither lanes that fall due later nor the backlog of a paused or a full lane hide a lane that may start.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/later' || n, messenger_now() + interval '1 hour' from generate_series(1, 2000) as n;
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/backlog', messenger_now() - interval '1 minute' from generate_series(1, 1500);
insert into messenger_queues (name, paused) values ('reports/backlog', true);

select is(messenger.next_due(), messenger_now() + interval '1 hour', 'a paused lane does not count');
insert into messenger_messages (type, queue, available_at) values ('T', 'reports/z', messenger_now() + interval '1 second');
select is(messenger.next_due(), messenger_now() + interval '1 second', 'the last lane by name is seen');
select is(messenger.next_due(array['reports']), messenger_now() + interval '1 second', 'by the name of its queue too');
insert into messenger_messages (type, queue, priority, available_at)
values ('T', 'reports/later500', -5, messenger_now() - interval '1 second');
select is(messenger.next_due(), messenger_now() - interval '1 second', 'and a message behind a later one of higher priority');

-- Every lane may start one message a minute; that of the backlog has started.
delete from messenger_messages where queue in ('reports/z', 'reports/later500');
update messenger_queues set paused = false where name = 'reports/backlog';
update messenger_queues set lane_rate_limit = 1, lane_rate_period_ms = 60000 where name = 'reports';
insert into messenger.start_grants (queue, messages, starts_by) values ('reports/backlog', 1, messenger_now());
select cmp_ok(messenger.next_due(), '>', messenger_now() + interval '50 seconds', 'a lane whose starts are used up opens later');
insert into messenger_messages (type, queue, available_at) values ('T', 'reports/z', messenger_now());
select is(messenger.next_due(), messenger_now(), 'which holds up no other');

delete from messenger_messages where queue = 'reports/z' or queue = 'reports/backlog' and id % 2 = 0;
insert into messenger_messages (type, queue, available_at)
select 'T', 'reports/more' || n, messenger_now() + interval '1 hour' from generate_series(1, 8000) as n;
insert into messenger_messages (type, queue, available_at) values ('T', 'reports/z', messenger_now());
select is(messenger.next_due(), messenger_now(), 'beyond 10,000 lanes the messages that have waited longest are seen');
analyze messenger_messages;
select is(messenger.next_due(), messenger_now(), 'also with statistics');
select * from finish();
rollback;
