begin;
select plan(13);
select test.set_clock('2026-01-01 12:00Z');
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
select messenger_create_webhook_endpoint('b', '{"url":"https://b.example/"}');
insert into messenger_webhook_events (id, event, data) overriding system value
  select n, 'x', '{}' from generate_series(1, 5) as n;

create function attempt(endpoint text, event bigint, message bigint, delivered boolean) returns jsonb
language sql as $$
  select messenger_record_webhook(jsonb_build_object(
    'endpoint', endpoint, 'event_id', event, 'event', 'x', 'message_id', message, 'attempt', 1,
    'delivered', delivered, 'duration_ms', 3
  ))
$$;
-- 1: failed twice, and its message is gone; 2: delivered at the second attempt; 3: its message waits; 4: a dead letter.
select attempt('a', 1, 901, false), attempt('a', 1, 901, false), attempt('a', 2, 902, false), attempt('a', 2, 902, true);
create temporary table waits as select
  messenger_dispatch('WebhookMessage', '{"endpoint":"a","eventId":"3"}', queue => 'webhooks', group_key => 'a') as id;
select attempt('a', 3, (select id from waits), false);
insert into messenger_failed_messages (id, type, queue, payload, reason, error, errors, created_at)
  values (904, 'WebhookMessage', 'webhooks', '{"endpoint":"a","eventId":"4"}', 'exhausted', 'x', '[]', now());
select attempt('a', 4, 904, false), attempt('b', 5, 905, false);

create temporary view others as
  select payload ->> 'eventId' as event from messenger_messages where id <> (select id from waits);

select is(
  messenger_resend_webhooks(endpoint => 'a', dry_run => true) - 'next',
  '{"matched":2,"done":0,"running":0,"missing":[]}', 'a dry run counts'
);
select is(
  messenger_resend_webhooks(endpoint => 'a') - 'next',
  '{"matched":2,"done":2,"running":0,"missing":[]}', 'what has failed last and waits for nothing'
);
select bag_eq('select event from others', $$values ('1'), ('4')$$, 'goes to its endpoint again, once each');
select is((select count(*) from messenger_failed_messages), 0::bigint, 'a dead letter is taken back');
select is(messenger_resend_webhooks(endpoint => 'a') ->> 'matched', '1', 'one that was written again is found by its attempt');
select bag_eq('select event from others', $$values ('1'), ('4')$$, 'and is not doubled while it waits');

select is(
  messenger_resend_webhooks(ids => array(select id from messenger_webhook_deliveries where event_id = 2)) ->> 'done',
  '1', 'ids send again what was delivered, once for an event'
);
select is(
  messenger_resend_webhooks(ids => '{0}') -> 'missing', '["0"]', 'an id that is not there is missing'
);
select is(messenger_resend_webhooks(event => 'y') ->> 'matched', '0', 'an event that did not happen');
select is(messenger_resend_webhooks(sent_from => '2026-01-02') ->> 'matched', '0', 'a time at which none failed');
select throws_ok($$select messenger_resend_webhooks()$$, 'PT400', null, 'no filter');
select throws_ok($$select messenger_resend_webhooks(endpoint => 'a', "all" => true)$$, 'PT400', null, 'all and a filter');
select messenger_delete_webhook_endpoint('b');
select is(messenger_resend_webhooks(endpoint => 'b') ->> 'matched', '0', 'an endpoint that is gone gets nothing');

select * from finish();
rollback;
