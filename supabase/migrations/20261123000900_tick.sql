-- The tick: pg_cron calls messenger_tick() every minute, which posts to the tick function through
-- pg_net. The function answers at once and works on in the background, because pg_net serves a
-- whole batch of requests before the next.

create or replace function public.messenger_post_tick(body jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  url text := (
    select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'symphony_url'
  );
  secret_key text := (
    select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'symphony_secret_key'
  );
begin
  if url is null or secret_key is null then
    raise exception 'messenger_tick: Vault has no secret named %',
        case when url is null then 'symphony_url' else 'symphony_secret_key' end
      using hint = 'Set SYMPHONY_URL and SYMPHONY_SECRET_KEY and run supabase db push, or: select vault.create_secret(''https://<ref>.supabase.co'', ''symphony_url'').';
  end if;

  return net.http_post(
    url := rtrim(url, '/') || '/functions/v1/tick',
    body := body,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', secret_key),
    timeout_milliseconds := 5000
  );
end
$$;
comment on function public.messenger_post_tick(jsonb) is
  'Posts a body to the tick function through pg_net, when the transaction commits. Answers pg_net''s request id.';

create or replace function public.messenger_tick() returns bigint
language sql
set search_path = ''
as $$ select public.messenger_post_tick('{"wait":false}') $$;
comment on function public.messenger_tick() is
  'Asks the tick function, through pg_net, to process what is due. pg_cron calls it every minute. Answers pg_net''s request id.';

revoke execute on function public.messenger_post_tick(jsonb), public.messenger_tick()
  from public, anon, authenticated;
grant execute on function public.messenger_post_tick(jsonb), public.messenger_tick()
  to service_role;

select cron.schedule('symphony-tick', '* * * * *', 'select public.messenger_tick()');
