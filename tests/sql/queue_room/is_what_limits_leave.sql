-- Live leases count against the concurrency, starts of the last period against the rate.
begin;
select plan(10);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name) values ('mail');
select is(messenger.queue_room('mail'), null, 'no bound without limits');
select is(messenger.queue_room('unheard.of'), null, 'nor in a queue that does not exist');

update messenger_queues set concurrency = 2 where name = 'mail';
select test.dispatch_many(3, 'mail');
select is(messenger.queue_room('mail', 0), 2, 'slots do not bound a concurrency');
select test.claim(test.token(1), 1);
select is(messenger.queue_room('mail'), 1, 'a live lease takes a place');
update messenger_queues set concurrency = 3 where name = 'mail';
select test.claim(test.token(2));
update messenger_queues set concurrency = 1 where name = 'mail';
select is(messenger.queue_room('mail'), 0, 'no room where a limit was lowered');
update messenger_messages set leased_until = messenger_now() where lease_token = test.token(2);
select is(messenger.queue_room('mail'), 0, 'as long as one of them runs');
update messenger_messages set leased_until = messenger_now() where true;
select is(messenger.queue_room('mail'), 1, 'a lease that ran out takes no place');

update messenger_queues set concurrency = null, rate_limit = 5 where name = 'mail';
select messenger.grant_starts('mail', 2, 100);
select is(messenger.queue_room('mail'), 3, 'what was started counts against the rate');
select is(messenger.queue_room('mail', 1), 1, 'and no more are given than can start at once');
select is(messenger.queue_room('mail', 0), 0, 'which may be none');

select * from finish();
rollback;
