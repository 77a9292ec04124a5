begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');
select test.dead_letter('A');

select test.checked_alert();
select test.set_clock('2026-01-01 12:05Z');
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing sent}', 'a request that pg_net still has is waited for');
delete from net.http_request_queue where true;
select test.set_clock('2026-01-01 12:00:10Z');
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing sent}', 'so is one that may be answered yet');
select test.set_clock('2026-01-01 12:05Z');
select messenger.send_alert_deliveries();
select results_eq(
  'select status, error from messenger_alert_deliveries',
  $$values ('pending', 'no answer: pg_net has lost the request')$$, 'one that was lost is noted'
);
select test.set_clock('2026-01-01 12:06Z');
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing sent}', 'and sent again');

select * from finish();
rollback;
