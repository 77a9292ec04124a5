-- Requests for ticks. pg_cron calls messenger_tick() every minute, and messenger_tick() posts to the Edge Function
-- `tick` through pg_net. The function answers at once and continues in the background, because pg_net starts no
-- further request until a whole batch of them has its answers.

create table messenger.tick_requests (
  id bigint primary key,
  asked_at timestamptz not null default clock_timestamp()
);

comment on table messenger.tick_requests is
  'Requests to the tick function of the last hour, so that a health check can find their responses.';
comment on column messenger.tick_requests.id is
  'pg_net''s id of the request, as in net._http_response.';
comment on column messenger.tick_requests.asked_at is
  'When it was asked for.';

alter table messenger.tick_requests enable row level security;

-- The prefix is a function and not a row of a table, because a preview branch and a schema-only clone have the
-- functions of a project and none of its rows. `symphony-messenger init --prefix` writes a migration that replaces
-- this function.
create function messenger.function_prefix() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select ''::text $$;
comment on function messenger.function_prefix() is
  'The beginning of the names of the three Edge Functions: empty, or such as bus- for bus-tick.';

create function messenger.secret_problem(p_name text, p_value text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when p_value is null then 'is missing'
    when p_value !~ '[^[:space:]]' then 'is empty'
    when p_value ~ '[[:space:]]' then 'has a space or a line break'
    when p_name = 'symphony_url' and p_value !~ '^https?://.' then 'does not begin with http:// or https://'
  end;
end
$$;
comment on function messenger.secret_problem(text, text) is
  'The problem of a value of a secret that the tick needs; null if it has none.';

create function messenger.post_tick(p_body jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  request_id bigint;
  problem text;
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
  problem := coalesce(
    'symphony_url ' || messenger.secret_problem('symphony_url', url),
    'symphony_secret_key ' || messenger.secret_problem('symphony_secret_key', secret_key)
  );
  if problem is not null then
    raise exception 'messenger_tick: Vault''s secret %', problem
      using hint = 'Write it again: select messenger_setup(url => ..., secret_key => ...), or vault.update_secret().';
  end if;

  request_id := net.http_post(
    url := rtrim(url, '/') || '/functions/v1/' || messenger.function_prefix() || 'tick',
    body := p_body,
    headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', secret_key),
    timeout_milliseconds := 5000
  );
  -- After a crash pg_net gives the same ids again, so a row may exist already. The id is null if a trigger of
  -- pg_net's own table took the request: then there is no answer to find, but the tick was asked for.
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
  'Posts a body to the tick function through pg_net, when the transaction commits. Returns pg_net''s request id.';

create function public.messenger_tick() returns bigint
language plpgsql
set search_path = ''
as $$
declare
  answer bigint;
  fault_detail text;
begin
  perform messenger.settle_unleased();
  perform messenger.reopen_stray_groups();
  perform messenger.mend_sequences();
  perform messenger.keep_deleted_queues();
  answer := messenger.post_tick('{"wait":false}');
  perform messenger.check_deferred('messenger_tick');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_tick() is
  'Asks the tick function, through pg_net, to process what is due, and gives back running messages that no lease names, unblocks those that nothing precedes, mends sequences of ids that are behind, and makes rows of queues again that were deleted while a message was written. pg_cron calls it every minute. Returns pg_net''s request id.';
