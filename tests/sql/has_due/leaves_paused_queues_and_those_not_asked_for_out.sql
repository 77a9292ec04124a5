-- No tick would claim from them.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'mail');
select ok(messenger.has_due(p_queues => array['mail']), 'the queue asked for');
select ok(not messenger.has_due(p_queues => array['default']), 'another one');
update messenger_queues set paused = true where name = 'mail';
select ok(not messenger.has_due(), 'a paused one');
select ok(not messenger.has_due(p_queues => array['mail']), 'also when it is asked for');

select * from finish();
rollback;
