-- Webhook endpoints: other systems that are told of events. messenger_publish() writes an event once, and one message
-- for each endpoint that wants it, in the caller's transaction. An endpoint is a group of the queue `webhooks`, so
-- that a slow or dead endpoint holds up no other, and costs one attempt at a time.
--
-- A row of an endpoint is locked alone, in a transaction that takes no other lock of the bus.

create table public.messenger_webhook_endpoints (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  url text not null check (url ~ '^https?://[^[:space:]]+$' and length(url) <= 2000),
  events text[] not null default '{*}' check (
    cardinality(events) between 1 and 100 and array_position(events, null) is null
    and cardinality(string_to_array(array_to_string(events, ' '), ' ')) = cardinality(events)
    and array_to_string(events, ' ') ~ '^(\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?)( (\*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?))*$'
  ),
  secret text not null check (secret ~ '^webhook_[A-Za-z0-9_.:-]{1,200}$'),
  previous_secret text check (previous_secret ~ '^webhook_[A-Za-z0-9_.:-]{1,200}$'),
  previous_until timestamptz,
  rate_limit integer check (rate_limit >= 1),
  rate_period_ms integer not null default 1000 check (rate_period_ms between 1000 and 86400000),
  rate_used jsonb,
  disable_after_ms bigint default 432000000 check (disable_after_ms >= 60000),
  failing_since timestamptz,
  disabled_by text check (disabled_by in ('operator', 'failures', 'gone')),
  disabled_at timestamptz,
  disabled_reason text check (length(disabled_reason) <= 1000),
  created_at timestamptz not null default public.messenger_now()
);

comment on table public.messenger_webhook_endpoints is
  'Endpoints of other systems, to which messenger_publish() sends events as signed POSTs.';
comment on column public.messenger_webhook_endpoints.name is
  'Name of the endpoint, and key of its group in the queue webhooks.';
comment on column public.messenger_webhook_endpoints.url is
  'Where events are posted: https at a public address, unless the definition of WebhookMessage allows others.';
comment on column public.messenger_webhook_endpoints.events is
  'Events that it gets: names such as order.paid, prefixes such as order.*, or * for all.';
comment on column public.messenger_webhook_endpoints.secret is
  'Name in Vault of the secret that signs its calls.';
comment on column public.messenger_webhook_endpoints.previous_secret is
  'Name in Vault of the secret before the last rotation, with which calls are also signed until previous_until; null before the first rotation.';
comment on column public.messenger_webhook_endpoints.previous_until is
  'Until when calls are also signed with previous_secret.';
comment on column public.messenger_webhook_endpoints.rate_limit is
  'Largest number of calls within any rate_period_ms. Null: no limit.';
comment on column public.messenger_webhook_endpoints.rate_period_ms is
  'The period of rate_limit, in ms.';
comment on column public.messenger_webhook_endpoints.rate_used is
  'Calls of about the last rate_period_ms: numbers of calls by time, in ms since 1970, rounded up to a hundredth of the period. Null: no call was counted yet.';
comment on column public.messenger_webhook_endpoints.disable_after_ms is
  'For how long all calls have to fail before the endpoint is disabled, in ms; 5 days by default; null: it is never disabled for failures.';
comment on column public.messenger_webhook_endpoints.failing_since is
  'When the first call failed after the last one that succeeded; null if no call has failed since.';
comment on column public.messenger_webhook_endpoints.disabled_by is
  'Why it is disabled: operator (an operator did it), failures (all calls failed for disable_after_ms), gone (it answered 410); null: it is enabled.';
comment on column public.messenger_webhook_endpoints.disabled_at is
  'When it was disabled; null: it is enabled.';
comment on column public.messenger_webhook_endpoints.disabled_reason is
  'The reason in words, with the last error if calls failed; null: it is enabled.';
comment on column public.messenger_webhook_endpoints.created_at is
  'When it was made.';

create index messenger_webhook_endpoints_events_idx on public.messenger_webhook_endpoints using gin (events);
comment on index public.messenger_webhook_endpoints_events_idx is
  'Endpoints by their events, for messenger_publish().';
create index messenger_webhook_endpoints_disabled_idx on public.messenger_webhook_endpoints (name)
  where disabled_by in ('failures', 'gone');
comment on index public.messenger_webhook_endpoints_disabled_idx is
  'Endpoints that were disabled for failures or a 410, for health and alerts.';
alter table public.messenger_webhook_endpoints enable row level security;

create table public.messenger_webhook_events (
  id bigint generated always as identity primary key,
  event text not null,
  data jsonb not null,
  created_at timestamptz not null default public.messenger_now()
);
comment on table public.messenger_webhook_events is
  'Events that were published to at least one endpoint: each is stored once for all its endpoints, for 30 days.';
comment on column public.messenger_webhook_events.id is
  'Identity of the event. The header webhook-id is evt_<id>, the same at each endpoint and each time it is sent.';
comment on column public.messenger_webhook_events.event is
  'Name of the event, such as order.paid.';
comment on column public.messenger_webhook_events.data is
  'Payload of the event: the field data of the body that is posted.';
comment on column public.messenger_webhook_events.created_at is
  'When it was published: the field timestamp of the body that is posted.';
create index messenger_webhook_events_created_at_idx on public.messenger_webhook_events (created_at);
comment on index public.messenger_webhook_events_created_at_idx is
  'Events by age, for pruning.';
alter table public.messenger_webhook_events enable row level security;

-- The patterns that match an event, so that the index of `events` finds its endpoints: order.paid is matched by
-- order.paid, order.* and *.
create function messenger.webhook_patterns(p_event text) returns text[]
language sql immutable parallel safe
set search_path = ''
as $$
  select array['*', p_event] || array(
    select array_to_string(parts[:n], '.') || '.*'
    from (select string_to_array(p_event, '.') as parts) as e, generate_series(1, cardinality(parts) - 1) as n
  )
$$;
comment on function messenger.webhook_patterns(text) is
  'Part of messenger_publish: the patterns that match an event, as messenger_webhook_endpoints.events has them. Of order.paid: *, order.paid and order.*.';

create function public.messenger_publish(
  event text, payload jsonb default '{}', endpoint text default '*', traceparent text default null
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  names text[];
  published bigint;
  stamps constant jsonb := messenger.trace_stamps(traceparent);
  fault_detail text;
begin
  if event is null or length(event) > 100 or event !~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$' then
    raise sqlstate 'PT400' using message =
      'event: has to be names of letters, digits, _ and - with dots between them, such as order.paid';
  end if;
  if jsonb_typeof(payload) is distinct from 'object' or octet_length(payload::text) > 1000000 then
    raise sqlstate 'PT400' using message = 'payload: has to be an object of at most 1,000,000 bytes';
  end if;
  perform messenger.check_json(payload, 'payload');
  -- Null may be a name that the caller failed to find: it never means all.
  if endpoint is null then
    raise sqlstate 'PT400' using message =
      'endpoint: has to be the name of an endpoint, or * for all that want the event';
  elsif endpoint = '*' then
    names := array(
      select e.name from public.messenger_webhook_endpoints e
      where e.disabled_at is null and e.events && messenger.webhook_patterns(event)
      order by e.name
    );
  else
    names := array(
      select e.name from public.messenger_webhook_endpoints e where e.disabled_at is null and e.name = endpoint
    );
  end if;
  if cardinality(names) = 0 then
    return 0;
  end if;
  insert into public.messenger_webhook_events (event, data) values (event, payload) returning id into published;
  perform public.messenger_enqueue(
    (
      select jsonb_agg(messenger.webhook_message(n, published) || jsonb_build_object('stamps', stamps) order by n)
      from unnest(names) as n
    ),
    checked => true
  );
  perform messenger.check_deferred('messenger_publish');
  return cardinality(names);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_publish(text, jsonb, text, text) is
  'Publishes an event inside the caller''s transaction: one message for each enabled endpoint whose patterns match it (endpoint ''*''), or for the one endpoint that is named, if it is enabled. Returns the number of messages. Example: select messenger_publish(''order.paid'', ''{"order":7}'').';

create function messenger.webhook_message(p_endpoint text, p_event_id bigint, p_dedupe_key text default null)
returns jsonb
language sql immutable parallel safe
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'type', 'WebhookMessage', 'queue', 'webhooks', 'group_key', p_endpoint, 'dedupe_key', p_dedupe_key,
    'payload', jsonb_build_object('endpoint', p_endpoint, 'eventId', p_event_id::text)
  ))
$$;
comment on function messenger.webhook_message(text, bigint, text) is
  'The message that sends an event to an endpoint, as messenger_enqueue takes it.';
