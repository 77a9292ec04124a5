-- It does not run: a message that does has the place, whether or not the worker has buried the expired one yet.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, concurrency) values ('mail', 1);
select messenger_dispatch('old', queue => 'mail', ttl => interval '1 minute');
select test.set_clock('2026-01-01 12:01Z');
select is(test.claimed(1), array['old'], 'the expired message is handed out, to be buried');
select messenger_dispatch('new', queue => 'mail'), messenger_dispatch('next', queue => 'mail');
select is(test.claimed(2), array['new'], 'the one place is still free');
select is(test.claimed(3), '{}', 'and is taken then');

select * from finish();
rollback;
