begin;
select plan(6);

select is(
  messenger_setup('https://b.example') -> 'secrets', '["symphony_url"]', 'a secret that is given is replaced'
);
select is(
  (select array_agg(decrypted_secret order by name) from vault.decrypted_secrets where name like 'symphony%'),
  '{sb_secret_tests,https://b.example}', 'and the other one stays'
);
select throws_ok(
  $$select messenger_setup('b.example')$$, 'PT400',
  'url: has to begin with http:// or https://, and to have no spaces', 'no URL'
);
select throws_ok(
  $$select messenger_setup(secret_key => '')$$, 'PT400', 'secret_key: is empty, or has spaces', 'an empty key'
);
select is(
  messenger_act('me', 'messenger_setup', '{"secret_key":"sb_secret_b","repair":true}') -> 'secrets',
  '["symphony_secret_key"]', 'an operator may call it'
);
select is(
  (select target from messenger_actions where action = 'setup'), '{"repair":true}',
  'and the action log does not have the key'
);

select * from finish();
rollback;
