-- An event that was sent again has another message than the attempts before.
begin;
select plan(5);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
select messenger_create_webhook_endpoint('b', '{"url":"https://b.example/"}');
insert into messenger_webhook_events (id, event, data) overriding system value values (1, 'x', '{}');
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
values ('a', 1, 'x', 901, 1, false, 1), ('b', 1, 'x', 902, 1, false, 1);
-- The second message has been tried once, and waits. The attempt of an older one that ran at the same time came last.
create temporary table waits as select
  messenger_dispatch('WebhookMessage', '{"endpoint":"a","eventId":"1"}', queue => 'webhooks', group_key => 'a') as id;
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
select 'a', 1, 'x', id, 1, false, 1 from waits;
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
values ('a', 1, 'x', 901, 2, false, 1);

select is(messenger_resend_webhooks(endpoint => 'a') ->> 'matched', '0', 'by a filter');
select is(
  messenger_resend_webhooks(ids => array(select id from messenger_webhook_deliveries where message_id = 901)) ->> 'done',
  '0', 'by the ids of its first attempts'
);
select is((select count(*) from messenger_messages), 1::bigint, 'the event waits once');
select is(messenger_resend_webhooks(endpoint => 'b') ->> 'done', '1', 'another endpoint gets it');
delete from messenger_messages where id = (select id from waits);
select is(messenger_resend_webhooks(endpoint => 'a') ->> 'done', '1', 'once nothing waits it is sent again');

select * from finish();
rollback;
