begin;
select plan(10);

create temporary table made as select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}') as m;
select matches((select m ->> 'secret' from made), '^whsec_[A-Za-z0-9+/]{43}=$', 'the secret is shown once');
select is(
  (select s.decrypted_secret from vault.decrypted_secrets s, made where s.name = m -> 'endpoint' ->> 'secret'),
  (select m ->> 'secret' from made), 'and is in Vault under the name that the endpoint has'
);
select vault.create_secret('whsec_x', 'webhook_own');
select is(
  messenger_create_webhook_endpoint('b', '{"url":"https://b.example/","secret":"webhook_own"}') ? 'secret', false,
  'an endpoint may use a secret of Vault'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}')$$, 'PT409',
  'name: there is an endpoint a already', 'a name that is in use'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('c', '{}')$$, 'PT400', 'url: has to have a value', 'no URL'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('c', '{"url":"https://c","events":["a.*.b"]}')$$, 'PT400',
  'events: has a value that is not allowed (was ["a.*.b"]); it has to have 1 to 100 names such as order.paid, prefixes such as order.*, or * for all',
  'a star between names'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('c', '{"url":"https://c","events":["a b"]}')$$, 'PT400',
  'events: has a value that is not allowed (was ["a b"]); it has to have 1 to 100 names such as order.paid, prefixes such as order.*, or * for all',
  'two names in one element'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('c', '{"url":"https://c","secret":"symphony_secret_key"}')$$, 'PT400',
  'secret: has a value that is not allowed (was "symphony_secret_key"); it has to be the name of a secret in Vault, webhook_ and 1 to 200 letters, digits or _ . : -',
  'another secret of the project'
);
select throws_ok(
  $$select messenger_create_webhook_endpoint('c', '{"url":"https://c","urls":1}')$$, 'PT400',
  'settings: urls is none of url, events, secret, rate_limit, rate_period_ms, disable_after_ms, disabled',
  'an unknown setting'
);
select messenger_act('me', 'messenger_create_webhook_endpoint', '{"name":"d","settings":{"url":"https://d/?token=t"}}');
select is(
  (select target from messenger_actions), '{"name":"d","settings":{"url":"changed"}}', 'the action log shows no URL and no secret'
);

select * from finish();
rollback;
