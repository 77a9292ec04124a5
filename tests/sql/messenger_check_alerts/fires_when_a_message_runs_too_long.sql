begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('long_step', '{"threshold":600000,"type":"Slow"}');
select test.dispatch('Slow', 'Other');
select test.claim(test.token(1), lease_ms => 86400000);
update messenger_messages set heartbeated = true;

select is(test.checked_alert(), 'resolved', 'a message that runs is noted');
select test.set_clock('2026-01-01 12:09:59Z');
select is(test.checked_alert(), 'resolved', 'not yet');
select test.set_clock('2026-01-01 12:10Z');
select is(test.checked_alert(), 'firing', 'ten minutes later');
update messenger_messages set lease_token = test.token(2) where type = 'Slow';
select is(test.checked_alert(), 'cooling_down', 'another attempt counts from its own beginning');
select test.handle(1, 'Other');
select test.set_clock('2026-01-02 13:10Z');
select test.checked_alert();
select is((select count(*) from messenger.seen_running), 0::bigint, 'messages that do not run any more are forgotten');

select * from finish();
rollback;
