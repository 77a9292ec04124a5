-- The tick: pg_cron calls messenger_tick() every minute, which posts to the tick function through
-- pg_net. The function answers at once and works on in the background, because pg_net serves a
-- whole batch of requests before the next.

create table messenger.tick_requests (
  id bigint primary key,
  asked_at timestamptz not null default clock_timestamp()
);

comment on table messenger.tick_requests is
  'Requests to the tick function of the last hour, so that a health check can find what pg_net was answered.';
comment on column messenger.tick_requests.id is
  'pg_net''s id of the request, as in net._http_response.';
comment on column messenger.tick_requests.asked_at is
  'When it was asked for.';

alter table messenger.tick_requests enable row level security;

-- A function and not a setting in a table: a preview branch and a schema-only clone have a project's functions,
-- and none of its rows. `symphony-messenger init --prefix` writes the migration that replaces it.
create function messenger.function_prefix() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select ''::text $$;
comment on function messenger.function_prefix() is
  'The beginning of the names of the three Edge Functions: empty, or such as bus- for bus-tick.';

create function messenger.post_tick(p_body jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  request_id bigint;
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

  request_id := net.http_post(
    url := rtrim(url, '/') || '/functions/v1/' || messenger.function_prefix() || 'tick',
    body := p_body,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', secret_key),
    timeout_milliseconds := 5000
  );
  -- After a crash pg_net counts from the beginning. A request that a trigger of its table takes has no id:
  -- there is no answer to look for then, and the tick was asked for all the same.
  insert into messenger.tick_requests as r (id)
  select request_id where request_id is not null
  on conflict (id) do update set asked_at = excluded.asked_at;
  delete from messenger.tick_requests r
  where r.id = any (array(
    select old.id from messenger.tick_requests old
    where old.asked_at < clock_timestamp() - interval '1 hour'
    order by old.id limit 10 for update skip locked
  ));
  return request_id;
end
$$;
comment on function messenger.post_tick(jsonb) is
  'Posts a body to the tick function through pg_net, when the transaction commits. Answers pg_net''s request id.';

create function public.messenger_tick() returns bigint
language sql
set search_path = ''
as $$ select messenger.post_tick('{"wait":false}') $$;
comment on function public.messenger_tick() is
  'Asks the tick function, through pg_net, to process what is due. pg_cron calls it every minute. Answers pg_net''s request id.';
