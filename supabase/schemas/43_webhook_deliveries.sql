-- Deliveries: the handler asks what to send (messenger_begin_webhook), and notes what became of it
-- (messenger_record_webhook). Both are short calls of their own, without a lock of a message.

create table public.messenger_webhook_deliveries (
  id bigint generated always as identity primary key,
  endpoint text not null,
  event_id bigint not null,
  event text not null,
  message_id bigint not null,
  attempt integer not null,
  delivered boolean not null,
  status smallint,
  duration_ms integer not null,
  answer text check (length(answer) <= 1000),
  error text check (length(error) <= 1000),
  sent_at timestamptz not null default public.messenger_now()
);
comment on table public.messenger_webhook_deliveries is
  'Attempts to send an event to an endpoint, kept for 30 days.';
comment on column public.messenger_webhook_deliveries.id is
  'Identity of the attempt; ids grow with time.';
comment on column public.messenger_webhook_deliveries.endpoint is
  'Name of the endpoint.';
comment on column public.messenger_webhook_deliveries.event_id is
  'Id in messenger_webhook_events, which may be pruned before this row.';
comment on column public.messenger_webhook_deliveries.event is
  'Name of the event.';
comment on column public.messenger_webhook_deliveries.message_id is
  'Id of the message that made the attempt.';
comment on column public.messenger_webhook_deliveries.attempt is
  'The message''s number of attempts at that time: 1 for its first.';
comment on column public.messenger_webhook_deliveries.delivered is
  'Whether the endpoint answered with a status of 2xx.';
comment on column public.messenger_webhook_deliveries.status is
  'HTTP status of the answer; null if there was no answer.';
comment on column public.messenger_webhook_deliveries.duration_ms is
  'Time until the answer or the error, in ms.';
comment on column public.messenger_webhook_deliveries.answer is
  'Body of the answer: its first 1,000 bytes as text; null if there was no answer.';
comment on column public.messenger_webhook_deliveries.error is
  'Why there was no answer, or why nothing was sent; null if there was an answer.';
comment on column public.messenger_webhook_deliveries.sent_at is
  'When the attempt ended.';

create index messenger_webhook_deliveries_endpoint_idx on public.messenger_webhook_deliveries (endpoint, id);
comment on index public.messenger_webhook_deliveries_endpoint_idx is
  'Attempts at one endpoint, for lists.';
create index messenger_webhook_deliveries_event_idx on public.messenger_webhook_deliveries (event_id, endpoint, id);
comment on index public.messenger_webhook_deliveries_event_idx is
  'Attempts to send one event to one endpoint, for messenger_resend_webhooks().';
create index messenger_webhook_deliveries_failed_idx on public.messenger_webhook_deliveries (id) where not delivered;
comment on index public.messenger_webhook_deliveries_failed_idx is
  'Failed attempts, for messenger_resend_webhooks().';
create index messenger_webhook_deliveries_sent_at_idx on public.messenger_webhook_deliveries (sent_at);
comment on index public.messenger_webhook_deliveries_sent_at_idx is
  'Attempts by age, for pruning.';
alter table public.messenger_webhook_deliveries enable row level security;

-- A call counts from its moment until a period later, so that no period has more than the number: neither after a
-- pause nor at the edge of a window. Moments are kept in hundredths of the period, rounded up: an endpoint has about
-- a hundred. Those of a clock that was set back count as now.
create function messenger.webhook_wait(p_endpoint text) returns integer
language plpgsql
set search_path = ''
as $$
declare
  now_ms constant bigint := floor(extract(epoch from public.messenger_now()) * 1000);
  target public.messenger_webhook_endpoints;
  moment bigint;
  used jsonb;
  opens_at bigint;
begin
  select * into target from public.messenger_webhook_endpoints e
  where e.name = p_endpoint and e.rate_limit is not null for update;
  if not found then
    return 0;
  end if;
  moment := (now_ms / (target.rate_period_ms / 100) + 1) * (target.rate_period_ms / 100);
  used := (
    select coalesce(jsonb_object_agg(c.moment, c.calls), '{}') from (
      select least(u.key::bigint, moment) as moment, sum(u.value::integer) as calls
      from jsonb_each_text(coalesce(target.rate_used, '{}')) as u
      where u.key::bigint > now_ms - target.rate_period_ms
      group by 1
    ) as c
  );
  -- The call that is too many, counted from the last one.
  select c.moment + target.rate_period_ms into opens_at
  from (
    select u.key::bigint as moment, sum(u.value::integer) over (order by u.key::bigint desc) as later
    from jsonb_each_text(used) as u
  ) as c
  where c.later >= target.rate_limit
  order by c.moment desc limit 1;
  if found then
    return opens_at - now_ms;
  end if;
  update public.messenger_webhook_endpoints e
  set rate_used = used || jsonb_build_object(moment, coalesce((used ->> moment::text)::integer, 0) + 1)
  where e.name = p_endpoint;
  return 0;
end
$$;
comment on function messenger.webhook_wait(text) is
  'Part of messenger_begin_webhook: returns 0 and counts the call if the rate of the endpoint allows it now, otherwise returns the ms to wait and counts nothing.';

create function public.messenger_begin_webhook(endpoint text, event_id bigint) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  target public.messenger_webhook_endpoints;
  published public.messenger_webhook_events;
  names text[];
  wait_ms integer;
  fault_detail text;
begin
  select * into target from public.messenger_webhook_endpoints e where e.name = endpoint;
  select * into published from public.messenger_webhook_events e where e.id = event_id;
  if target.name is null or published.id is null or target.disabled_at is not null then
    return jsonb_build_object('refused', case
      when target.name is null then format('endpoint: there is no endpoint %s any more', endpoint)
      when published.id is null then format('eventId: the event %s was deleted', event_id)
      else format('endpoint: %s is disabled: %s', endpoint, coalesce(target.disabled_reason, 'no reason was given'))
    end, 'event', published.event);
  end if;
  wait_ms := messenger.webhook_wait(endpoint);
  names := array[target.secret] || case when target.previous_until > clock then target.previous_secret end;
  perform messenger.check_deferred('messenger_begin_webhook');
  return jsonb_build_object(
    'url', target.url, 'event', published.event, 'data', published.data,
    'timestamp', to_char(published.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'secret_names', to_jsonb(array_remove(names, null)),
    'secrets', public.messenger_webhook_secrets(array_remove(names, null)),
    'wait_ms', wait_ms
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_begin_webhook(text, bigint) is
  'Tells a handler what to send to an endpoint: {"url", "event", "data", "timestamp", "secret_names", "secrets", "wait_ms"}. A wait_ms above 0 says for how many ms the rate of the endpoint allows no call. {"refused": the reason, "event"} if the endpoint or the event is gone, or the endpoint is disabled.';

create function public.messenger_record_webhook(delivery jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  noted public.messenger_webhook_deliveries;
  disabled public.messenger_webhook_endpoints;
  fault_detail text;
begin
  if jsonb_typeof(delivery) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'delivery: has to be an object';
  end if;
  perform messenger.check_deferred('messenger_record_webhook');
  insert into public.messenger_webhook_deliveries (
    endpoint, event_id, event, message_id, attempt, delivered, status, duration_ms, answer, error
  )
  select d.endpoint, d.event_id, d.event, d.message_id, d.attempt, d.delivered, d.status, d.duration_ms,
    left(d.answer, 1000), left(d.error, 1000)
  from jsonb_populate_record(null::public.messenger_webhook_deliveries, delivery) as d
  returning * into noted;
  -- Most calls leave the endpoint's row as it is.
  if noted.delivered then
    update public.messenger_webhook_endpoints e set failing_since = null
    where e.name = noted.endpoint and e.failing_since is not null;
    return '{}'::jsonb;
  end if;
  -- Nothing was sent of an event that was deleted, which says nothing of the endpoint.
  if not exists (select from public.messenger_webhook_events e where e.id = noted.event_id) then
    return '{}'::jsonb;
  end if;
  update public.messenger_webhook_endpoints e set failing_since = clock
  where e.name = noted.endpoint and e.failing_since is null and e.disabled_at is null;
  update public.messenger_webhook_endpoints e
  set disabled_at = clock, disabled_by = case when noted.status = 410 then 'gone' else 'failures' end,
    disabled_reason = left(case when noted.status = 410 then 'it answered 410 Gone' else format(
      'every call failed since %s; the last: %s', to_char(e.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
      coalesce(noted.error, 'HTTP ' || noted.status)
    ) end, 1000)
  where e.name = noted.endpoint and e.disabled_at is null and (
    noted.status = 410 or e.failing_since <= clock - e.disable_after_ms * interval '1 millisecond'
  )
  returning * into disabled;
  return jsonb_strip_nulls(jsonb_build_object('disabled', disabled.disabled_reason));
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_shape(sqlstate, 'delivery', delivery, '{
    "endpoint!": "text", "event_id!": "bigint", "event!": "text", "message_id!": "bigint", "attempt!": "integer",
    "delivered!": "boolean", "status": "smallint", "duration_ms!": "integer"
  }');
  raise;
end
$$;
comment on function public.messenger_record_webhook(jsonb) is
  'Writes an attempt, an object with columns of messenger_webhook_deliveries, and disables an endpoint that has failed for too long or answered 410. Returns {"disabled": the reason} if it disabled the endpoint, otherwise {}.';
