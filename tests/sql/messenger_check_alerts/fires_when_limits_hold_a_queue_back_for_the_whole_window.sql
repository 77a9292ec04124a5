begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('queue_limited', '{"window_ms":600000}');
select messenger_dispatch('A', queue => 'mail');
select messenger_dispatch('B', queue => 'mail');
select messenger_set_queue('mail', '{"concurrency":1}');
select test.claim(test.token(1), 1, lease_ms => 86400000, queues => '{mail}');

select is(test.checked_alert(), 'resolved', 'the queue is limited from now on');
select test.set_clock('2026-01-01 12:05Z');
update messenger_messages set available_at = '2026-01-03' where type = 'B';
select is(test.checked_alert(), 'resolved', 'in between nothing is due');
update messenger_messages set available_at = '2026-01-01' where type = 'B';
select test.set_clock('2026-01-01 12:10Z');
select is(test.checked_alert(), 'resolved', 'so that the time begins again');
select test.set_clock('2026-01-01 12:20Z');
select is(test.checked_alert(), 'firing', 'for the whole window');
select messenger_set_queue('mail', '{"concurrency":2}');
select is(test.checked_alert(), 'cooling_down', 'until there is room');

select * from finish();
rollback;
