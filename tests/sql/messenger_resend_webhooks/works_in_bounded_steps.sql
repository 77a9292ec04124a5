begin;
select plan(4);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
insert into messenger_webhook_events (event, data) select 'x', '{}' from generate_series(1, 1500);
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
  select 'a', e.id, 'x', 1000000 + e.id, 1, false, 1 from messenger_webhook_events e;

create temporary table steps as select messenger_resend_webhooks("all" => true) as s;
select is((select s ->> 'done' from steps), '1000', 'a step takes 1,000 attempts');
insert into steps select messenger_resend_webhooks("all" => true, after => s -> 'next') from steps;
select is((select array_agg(s ->> 'done' order by s ->> 'done') from steps), '{1000,500}', 'the next one continues');
select is((select count(*) from messenger_messages), 1500::bigint, 'each is sent once');
select throws_ok(
  $$select messenger_resend_webhooks("all" => true, after => '{"id":"x"}')$$, 'PT400', null, 'a place that is none'
);

select * from finish();
rollback;
