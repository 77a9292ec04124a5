begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
delete from messenger_alerts where true;
select messenger_set_alert_channel('ops', '{"kind":"message","message_type":"Page"}');
select messenger_create_alert('mine', 'dead_letters', '{"type":"A"}');
select test.dead_letter('A');

select is(test.checked_alert(), 'firing', 'it fires');
select is(test.told_alerts(), '{firing delivered}', 'and is delivered in the same transaction');
select is(
  (select payload #- '{data,project}' from messenger_messages where type = 'Page'),
  '{"type":"messenger.alert.firing","timestamp":"2026-01-01T12:00:00+00:00","data":{"alert":"mine","rule":"dead_letters",
    "type":"A","subject":"A","value":1,"threshold":1,"windowMs":3600000,"since":"2026-01-01T12:00:00+00:00",
    "title":"Alert: mine","summary":"Dead letters (type A) within 60 min: 1; the alert fires at 1. Most of all: A.",
    "advice":"See their errors: symphony-messenger failed list. Redrive them after the cause is fixed."}}',
  'the payload says what it is'
);
select is(
  (select count(*) from messenger_alert_deliveries d where d.body::text ~ 'a@b.c|no route'), 0::bigint,
  'without payloads and errors of dead letters'
);

select * from finish();
rollback;
