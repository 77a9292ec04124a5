begin;
select plan(6);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","rate_limit":5}');

select is(
  messenger_set_webhook_endpoint('a', '{"events":["b.*"],"rate_limit":null}') -> 'changed', 'true', 'a change'
);
select results_eq(
  'select url, events, rate_limit from messenger_webhook_endpoints',
  $$values ('https://a.example/', '{b.*}'::text[], null::integer)$$, 'changes what it names'
);
select is(messenger_set_webhook_endpoint('a', '{"events":["b.*"]}') -> 'changed', 'false', 'the same again is no change');
select throws_ok(
  $$select messenger_set_webhook_endpoint('a', '{"rate_limit":"x"}')$$, 'PT400', null, 'a wrong value'
);
select throws_ok(
  $$select messenger_set_webhook_endpoint('a', '{"disabled":"no"}')$$, 'PT400',
  'disabled: has to be true or false', 'no boolean'
);
select throws_ok(
  $$select messenger_set_webhook_endpoint('b', '{}')$$, 'PT404', 'name: there is no endpoint b', 'no such endpoint'
);

select * from finish();
rollback;
