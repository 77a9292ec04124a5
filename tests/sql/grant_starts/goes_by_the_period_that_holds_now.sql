-- An operator who makes a period shorter does not wait for the end of the old one.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, rate_limit, rate_period_ms) values ('mail', 5, 86400000);
select messenger.grant_starts('mail', 5, 250);
select is(messenger.queue_room('mail'), 0, 'the day''s messages are used up');
select test.set_clock('2026-01-01 13:00Z');
select is(messenger.queue_room('mail'), 0, 'still after an hour');
update messenger_queues set rate_period_ms = 1000 where name = 'mail';
select is(messenger.queue_room('mail'), 5, 'but not with a period of a second');

select * from finish();
rollback;
