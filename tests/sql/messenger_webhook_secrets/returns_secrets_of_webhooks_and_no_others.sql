begin;
select plan(6);

select vault.create_secret('whsec_a', 'webhook_a');
select vault.create_secret('whsec_b', 'webhook_b');

select is(
  messenger_webhook_secrets(array['webhook_a', 'webhook_b', 'webhook_c']),
  '{"webhook_a":"whsec_a","webhook_b":"whsec_b"}', 'those that Vault has, by name'
);
select is(messenger_webhook_secrets('{}'), '{}', 'no names, no secrets');
select throws_ok(
  $$select messenger_webhook_secrets(array['symphony_secret_key'])$$, 'PT400',
  'names: each has to begin with webhook_', 'another secret of the project'
);
select throws_ok(
  $$select messenger_webhook_secrets(array['webhook_a', null])$$, 'PT400',
  'names: each has to begin with webhook_', 'a null'
);
select throws_ok(
  $$select messenger_webhook_secrets(null)$$, 'PT400', 'names: has to be a list of at most 10 names', 'no list'
);
select ok(
  not has_function_privilege('authenticated', 'messenger_webhook_secrets(text[])', 'execute')
    and not has_function_privilege('anon', 'messenger_webhook_secrets(text[])', 'execute')
    and has_function_privilege('service_role', 'messenger_webhook_secrets(text[])', 'execute'),
  'only the service role may call it'
);

select * from finish();
rollback;
