begin;
select plan(12);

create function pg_temp.with_secrets(url text, key text) returns text language plpgsql as $$
begin
  delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
  perform vault.create_secret(url, 'symphony_url') where url is not null;
  perform vault.create_secret(key, 'symphony_secret_key') where key is not null;
  return messenger.installation() ->> 'vault_problem';
end
$$;
select is(pg_temp.with_secrets(url, key), problem, coalesce(problem, 'both are right'))
from (values
  ('https://a.example', 'sb_secret_x', null),
  (null, 'sb_secret_x', 'symphony_url is missing'),
  ('https://a.example', null, 'symphony_secret_key is missing'),
  ('https://a.example', '   ', 'symphony_secret_key is empty'),
  ('https://a.example', e'sb_secret_x\n', 'symphony_secret_key has a space or a line break'),
  (e'https://a.example\n', 'sb_secret_x', 'symphony_url has a space or a line break'),
  ('a.example', 'sb_secret_x', 'symphony_url does not begin with http:// or https://')
) as s (url, key, problem);

select pg_temp.with_secrets('https://a.example', e'sb_secret_x\n');
select is(messenger.installation() -> 'vault_secrets', 'false', 'the check fails');
select throws_ok(
  'select messenger_tick()', 'P0001', 'messenger_tick: Vault''s secret symphony_secret_key has a space or a line break',
  'the minute''s tick says so too'
);
select isnt(messenger_dispatch('A'), null, 'a dispatch succeeds all the same');
select pg_temp.with_secrets('https://a.example', '');
select throws_ok(
  'select messenger_tick()', 'P0001', 'messenger_tick: Vault''s secret symphony_secret_key is empty', 'and so with an empty key'
);
select pg_temp.with_secrets('https://a.example', 'sb_secret_x');
select lives_ok('select messenger_tick()', 'with both right it asks');

select * from finish();
rollback;
