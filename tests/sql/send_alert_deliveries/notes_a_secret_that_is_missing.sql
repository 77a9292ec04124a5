begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');
select test.dead_letter('A');
delete from vault.secrets where name = 'symphony_alert_ops_url';

select is(test.checked_alert(), 'firing', 'the alert fires all the same');
select results_eq(
  'select status, attempts, error from messenger_alert_deliveries',
  $$values ('pending', 1, 'Vault has no secret symphony_alert_ops_url')$$, 'and its delivery has the fault'
);
delete from messenger_alerts where true;
delete from messenger_alert_channels where true;
select test.set_clock('2026-01-01 12:01Z');
select messenger.send_alert_deliveries();
select results_eq(
  'select status, error from messenger_alert_deliveries',
  $$values ('failed', 'there is no channel ops')$$, 'a channel that is gone ends it'
);

select * from finish();
rollback;
