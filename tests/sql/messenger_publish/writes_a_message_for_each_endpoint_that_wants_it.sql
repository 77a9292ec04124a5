begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select messenger_create_webhook_endpoint('all', '{"url":"https://a.example/"}');
select messenger_create_webhook_endpoint('orders', '{"url":"https://b.example/","events":["order.*"]}');
select messenger_create_webhook_endpoint('paid', '{"url":"https://c.example/","events":["order.paid","x"]}');
select messenger_create_webhook_endpoint('off', '{"url":"https://d.example/","disabled":true}');
select messenger_create_webhook_endpoint('users', '{"url":"https://e.example/","events":["user.*","order"]}');

select is(messenger_publish('order.paid', '{"order":7}'), 3, 'three endpoints want it');
select results_eq(
  $$select m.group_key collate "default", m.type, m.queue collate "default", m.payload ->> 'endpoint' from messenger_messages m order by m.group_key$$,
  $$values ('all', 'WebhookMessage', 'webhooks', 'all'), ('orders', 'WebhookMessage', 'webhooks', 'orders'),
    ('paid', 'WebhookMessage', 'webhooks', 'paid')$$,
  'each has a message in a group of its own'
);
select results_eq(
  $$select event, data, created_at from messenger_webhook_events$$,
  $$values ('order.paid', '{"order":7}'::jsonb, '2026-01-01 12:00Z'::timestamptz)$$,
  'the event is stored once'
);
select is(
  (select count(distinct payload ->> 'eventId') from messenger_messages
    where payload ->> 'eventId' = (select id::text from messenger_webhook_events)), 1::bigint,
  'and the messages name it'
);
select is(messenger_publish('order.paid.late'), 2, 'a pattern matches deeper names');
select is(messenger_publish('order'), 2, 'and not the name before its dot');
select is(messenger_publish('a', '{}', 'orders'), 1, 'a named endpoint gets every event');

delete from messenger_webhook_endpoints where name = 'all';
select is(messenger_publish('nothing'), 0, 'an event that no endpoint wants is no message');
select is((select count(*) from messenger_webhook_events where event = 'nothing'), 0::bigint, 'and is not stored');

select * from finish();
rollback;
