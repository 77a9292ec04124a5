begin;
select plan(3);
select test.alert('dead_letters');

select messenger_test_alert_channel('ops');
select throws_like(
  'select messenger_retry_alert_delivery((select max(id) from messenger_alert_deliveries))', 'id: the delivery % is under way', 'sent'
);
select test.answer_alert(200);
select messenger.send_alert_deliveries();
select throws_like(
  'select messenger_retry_alert_delivery((select max(id) from messenger_alert_deliveries))', 'id: the delivery % has arrived', 'delivered'
);
select throws_ok('select messenger_retry_alert_delivery(-1)', 'PT404', 'id: there is no delivery -1', 'none');

select * from finish();
rollback;
