begin;
select plan(4);
select test.set_clock('2026-03-01 12:00Z');
insert into messenger_webhook_events (event, data, created_at)
  values ('old', '{}', '2026-01-01Z'), ('new', '{}', '2026-02-20Z');
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms, sent_at)
  select 'a', 1, e.event, 1, 1, true, 1, e.created_at from messenger_webhook_events e;

select is(messenger_prune_webhooks(), '{"matched":2,"done":2,"next":null}', 'what is older than 30 days');
select is((select array_agg(event) from messenger_webhook_events), '{new}', 'of the events');
select is((select array_agg(event) from messenger_webhook_deliveries), '{new}', 'and of the attempts');
select throws_ok($$select messenger_prune_webhooks(interval '-1 day')$$, 'PT400', null, 'an age below zero');

select * from finish();
rollback;
