-- A null URL would be a request to nowhere, every minute, unseen.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select throws_ok(
  $$select messenger_tick()$$, 'P0001', 'messenger_tick: Vault has no secret named symphony_url',
  'no URL'
);
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select throws_ok(
  $$select messenger_tick()$$, 'P0001',
  'messenger_tick: Vault has no secret named symphony_secret_key', 'no key'
);
select is_empty('select id from net.http_request_queue', 'nothing is posted');

select * from finish();
rollback;
