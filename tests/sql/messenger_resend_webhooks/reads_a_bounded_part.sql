begin;
select plan(10);
select messenger_create_webhook_endpoint('rare', '{"url":"https://a.example/"}');
select messenger_create_webhook_endpoint('often', '{"url":"https://a.example/"}');
insert into messenger_webhook_events (id, event, data) overriding system value
  select n, 'x', '{}' from generate_series(1, 12000) as n;
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
  select case when n % 1000 = 0 then 'rare' else 'often' end, n, case when n > 11995 then 'late' else 'x' end,
    1000000 + n, 1, n % 1000 <> 0 and n <= 11995, 1
  from generate_series(1, 12000) as n;
analyze messenger_webhook_deliveries, messenger_webhook_events, messenger_webhook_endpoints;

-- A plan that is kept is made at the sixth call.
select messenger_resend_webhooks(endpoint => 'rare', dry_run => true) from generate_series(1, 8);
select is(messenger_resend_webhooks(endpoint => 'rare', dry_run => true) ->> 'matched', '12', 'all of an endpoint');
select cmp_ok(
  test.rows_read_by($$select messenger_resend_webhooks(endpoint => 'rare', dry_run => true)$$, 'messenger_webhook_deliveries'),
  '<', 200::bigint, 'by the rows of the endpoint alone'
);
select cmp_ok(
  test.rows_read_by($$select messenger_resend_webhooks(ids => '{1000,2000}', dry_run => true)$$, 'messenger_webhook_deliveries'),
  '<', 50::bigint, 'ids are looked up'
);
select cmp_ok(
  test.rows_read_by($$select messenger_resend_webhooks(endpoint => 'rare', dry_run => true)$$, 'messenger_webhook_events'),
  '<', 50::bigint, 'and so are their events'
);

select is(messenger_resend_webhooks(event => 'late', dry_run => true) ->> 'matched', '5', 'an event is found');
select cmp_ok(
  test.rows_read_by($$select messenger_resend_webhooks(event => 'late', dry_run => true)$$, 'messenger_webhook_deliveries'),
  '<', 200::bigint, 'by the attempts that failed alone'
);
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
  select 'often', n, case when n > 11995 then 'last' else 'x' end, 2000000 + n, 1, false, 1
  from generate_series(1, 12000) as n;
analyze messenger_webhook_deliveries;

create temporary table steps as select messenger_resend_webhooks(event => 'last', dry_run => true) as s;
select is((select s ->> 'matched' from steps), '0', 'a step looks at 10,000 failed attempts');
select is((select s -> 'next' ->> 'id' from steps), min(id)::text, 'and continues behind them')
from (select id from messenger_webhook_deliveries where not delivered order by id offset 9999 limit 1) as l;
select is(
  (select messenger_resend_webhooks(event => 'last', dry_run => true, after => s -> 'next') - 'done' from steps),
  '{"matched":5,"running":0,"missing":[],"next":null}', 'the next one finds what it means'
);
select cmp_ok(
  test.rows_read_by($$select messenger_resend_webhooks(event => 'last', dry_run => true)$$, 'messenger_webhook_deliveries'),
  '<=', 20100::bigint, 'a step reads these rows by the index, once'
);

select * from finish();
rollback;
