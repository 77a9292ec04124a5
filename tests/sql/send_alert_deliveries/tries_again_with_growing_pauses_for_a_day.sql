begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');
select test.alert('dead_letters');
select test.dead_letter('A');

select test.checked_alert();
create temp table first_id as select webhook_id from messenger_alert_deliveries;
select test.answer_alert(500, 'no luck');
select messenger.send_alert_deliveries();
select results_eq(
  'select status, attempts, status_code, error, next_attempt_at from messenger_alert_deliveries',
  $$values ('pending', 1, 500, 'HTTP 500 no luck', '2026-01-01 12:01Z'::timestamptz)$$, 'a minute later'
);
select test.set_clock('2026-01-01 12:00:59Z');
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing pending}', 'not before');
select test.set_clock('2026-01-01 12:01Z');
select messenger.send_alert_deliveries();
select is(test.told_alerts(), '{firing sent}', 'then');
select test.answer_alert(null, error => 'Couldn''t connect to server');
select messenger.send_alert_deliveries();
select results_eq(
  'select attempts, status_code, error, next_attempt_at from messenger_alert_deliveries',
  $$values (2, null::integer, 'Couldn''t connect to server', '2026-01-01 12:03Z'::timestamptz)$$, 'two minutes later'
);
update messenger_alert_deliveries set attempts = 20, next_attempt_at = '2026-01-01 13:00Z';
select test.set_clock('2026-01-01 13:00Z');
select messenger.send_alert_deliveries();
select test.answer_alert(429);
select messenger.send_alert_deliveries();
select is(
  (select next_attempt_at from messenger_alert_deliveries), '2026-01-01 14:00Z'::timestamptz, 'an hour at most, also if it is told too often'
);
select test.set_clock('2026-01-02 11:30Z');
select messenger.send_alert_deliveries();
select test.answer_alert(503);
select messenger.send_alert_deliveries();
select is(
  (select next_attempt_at from messenger_alert_deliveries), '2026-01-02 12:00Z'::timestamptz, 'the last attempt is a day after the first'
);
select is((messenger_health() -> 'alerts' ->> 'channels'), '["ops"]', 'health tells of it meanwhile');
select test.set_clock('2026-01-02 12:00Z');
select messenger.send_alert_deliveries();
select test.answer_alert(503, 'down');
select messenger.send_alert_deliveries();
select results_eq(
  'select status, error, finished_at from messenger_alert_deliveries',
  $$values ('failed', 'HTTP 503 down', '2026-01-02 12:00Z'::timestamptz)$$, 'then it is given up'
);
select is((messenger_health() -> 'alerts' ->> 'channels'), '["ops"]', 'which health tells');

set local role service_role;
select is(messenger_retry_alert_delivery((select id from messenger_alert_deliveries)), '{"changed":true}', 'an operator sends it again');
reset role;
select test.answer_alert(200);
select is(
  messenger_show_alert_delivery((select id from messenger_alert_deliveries)) - array['body', 'webhook_id', 'id'],
  '{"alert":"mine","channel":"ops","event":"firing","status":"delivered","attempts":1,"status_code":200,"error":null,
    "next_attempt_at":"2026-01-02T12:00:15+00:00","created_at":"2026-01-01T12:00:00+00:00",
    "finished_at":"2026-01-02T12:00:00+00:00"}', 'and it arrives'
);
select is((select webhook_id from messenger_alert_deliveries), (select webhook_id from first_id), 'under the same id');

select * from finish();
rollback;
