begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('no_tick', '{"cooldown_ms":60000}');
insert into messenger_ticks (started_at) values ('2026-01-01 11:00Z');

select test.checked_alert();
select test.answer_alert(500);
select test.set_clock('2026-01-01 12:00:30Z');
select test.checked_alert();
insert into messenger_ticks (started_at) values ('2026-01-01 12:00:40Z');
select test.set_clock('2026-01-01 12:00:50Z');
select test.checked_alert();
select is(test.told_alerts(), '{firing pending,resolved pending}', 'resolved waits for firing');
select messenger_test_alert_channel('ops');
select is(test.told_alerts(), '{firing pending,resolved pending,test sent}', 'a test does not wait');
select test.set_clock('2026-01-01 12:01:30Z');
select messenger.send_alert_deliveries();
select test.answer_alert(200);
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing delivered,resolved sent,test delivered}', 'and goes when it has arrived');

update messenger_alerts set state = 'firing', told_at = '2026-01-01 10:00Z' where name = 'mine';
select test.set_clock('2026-01-01 13:01Z');
select test.checked_alert();
select test.set_clock('2026-01-01 14:01Z');
select test.checked_alert();
select is(
  test.told_alerts(), '{firing delivered,resolved sent,test delivered,firing pending}',
  'while the receiver is down, that the alert fires is told once'
);

select * from finish();
rollback;
