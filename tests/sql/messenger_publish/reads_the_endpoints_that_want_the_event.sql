begin;
select plan(4);
insert into messenger_webhook_endpoints (name, url, secret, events)
select 'e' || n, 'https://a.example/', 'webhook_a', array['of.' || n] from generate_series(1, 6000) as n;
analyze messenger_webhook_endpoints;

select is(messenger_publish('of.7'), 1, 'one of 6,000 endpoints wants it');
select cmp_ok(
  test.rows_read_by($$select messenger_publish('of.8')$$, 'messenger_webhook_endpoints'), '<', 100::bigint,
  'and is found by the index'
);
select messenger_publish('of.' || n) from generate_series(1, 10) as n;
select cmp_ok(
  test.rows_read_by($$select messenger_publish('of.9')$$, 'messenger_webhook_endpoints'), '<', 100::bigint,
  'at the twelfth call as well'
);
select cmp_ok(
  test.rows_read_by($$select messenger_publish('x', '{}', 'e9')$$, 'messenger_webhook_endpoints'), '<', 10::bigint,
  'one that is named is looked up'
);

select * from finish();
rollback;
