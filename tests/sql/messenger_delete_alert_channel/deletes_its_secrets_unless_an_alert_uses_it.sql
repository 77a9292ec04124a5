begin;
select plan(5);

select messenger_set_alert_channel('ops', '{"kind":"slack","url":"https://a.example"}');
select messenger_set_alert('no-tick', '{"channel":"ops"}');
set local role service_role;
select throws_ok(
  $$select messenger_delete_alert_channel('ops')$$, 'PT409',
  'name: alerts are told on the channel ops (no-tick); change them first', 'an alert is told on it'
);
select messenger_set_alert('no-tick', '{"channel":null}');
select is(messenger_delete_alert_channel('ops'), '{"changed": true}', 'the service role deletes one');
reset role;
select is((select count(*) from vault.secrets where name like '%alert%'), 0::bigint, 'with its URL');
select throws_ok(
  $$select messenger_delete_alert_channel('ops')$$, 'PT404', 'name: there is no channel ops', 'that is not there'
);
select messenger_set_alert_channel('ops', '{"kind":"slack","url":"https://a.example"}');
delete from messenger_alert_channels where name = 'ops';
select is((select count(*) from vault.secrets where name like '%alert%'), 0::bigint, 'in SQL too');

select * from finish();
rollback;
