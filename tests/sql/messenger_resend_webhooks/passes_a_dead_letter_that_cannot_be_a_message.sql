begin;
select plan(3);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
insert into messenger_webhook_events (id, event, data) overriding system value
  select n, 'x', '{}' from generate_series(1, 2) as n;
insert into messenger_failed_messages (id, type, queue, payload, priority, reason, error, errors, created_at) values
  (901, 'WebhookMessage', 'webhooks', '{"endpoint":"a","eventId":"1"}', 5000, 'exhausted', 'x', '[]', now()),
  (902, 'WebhookMessage', 'webhooks', '{"endpoint":"a","eventId":"2"}', 0, 'exhausted', 'x', '[]', now());
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
values ('a', 1, 'x', 901, 1, false, 1), ('a', 2, 'x', 902, 1, false, 1);

select is(messenger_resend_webhooks(endpoint => 'a') ->> 'done', '1', 'the others are sent again');
select is((select array_agg(id) from messenger_messages), '{902}', 'as the messages that they were');
select is((select array_agg(id) from messenger_failed_messages), '{901}', 'it stays a dead letter');

select * from finish();
rollback;
