begin;
select plan(5);
select test.alert('dead_letters');

set local role service_role;
select is(
  messenger_act('me', 'messenger_test_alert_channel', '{"name":"ops"}') -> 'changed', 'true', 'the service role sends one'
);
reset role;
select is(
  (select array_agg(q.url) from net.http_request_queue q where q.url like '%a.example%'), '{https://a.example/hook}', 'to the URL'
);
select test.answer_alert(503);
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{test failed}', 'it is not tried again');
select is(
  (select jsonb_agg(l - array['created_at', 'id']) from jsonb_path_query(messenger_list_alert_channels('ops'), '$.channels[0].last_delivery') as l),
  '[{"event":"test","status":"failed","status_code":503,"error":"HTTP 503"}]', 'and the list of channels tells its outcome'
);
select throws_ok($$select messenger_test_alert_channel('x')$$, 'PT404', 'name: there is no channel x', 'none');

select * from finish();
rollback;
