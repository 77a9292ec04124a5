-- Webhook endpoints and deliveries as operators see them, and deliveries that are sent again.

create function public.messenger_list_webhook_endpoints(
  name text default null, after_name text default '', max_endpoints integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select e.name, messenger.webhook_endpoint(e) as endpoint from public.messenger_webhook_endpoints e
    where (messenger_list_webhook_endpoints.name is null or e.name = messenger_list_webhook_endpoints.name)
      and e.name > after_name
    order by e.name limit max_endpoints
  )
  select jsonb_build_object(
    'endpoints', coalesce(jsonb_agg(f.endpoint order by f.name), '[]'),
    'next', case when count(*) = max_endpoints then max(f.name) end
  )
  from found f
$$;
comment on function public.messenger_list_webhook_endpoints(text, text, integer) is
  'Webhook endpoints by name, those behind after_name. Returns {"endpoints", "next"}; secrets are names in Vault.';

create function messenger.disabled_webhooks() returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('name', e.name, 'reason', e.disabled_reason) order by e.name), '[]')
  from (
    select * from public.messenger_webhook_endpoints e
    where e.disabled_by in ('failures', 'gone') order by e.name limit 20
  ) as e
$$;
comment on function messenger.disabled_webhooks() is
  'Endpoints that were disabled because their calls failed, at most 20: [{"name", "reason"}]. Those that an operator disabled are left out.';

create function public.messenger_list_webhook_deliveries(
  endpoint text default null, event text default null, delivered boolean default null,
  before_id bigint default null, max_deliveries integer default 50, max_scanned integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  with scanned as (
    select d.* from public.messenger_webhook_deliveries d
    where d.id < coalesce(before_id, 9223372036854775807)
      and (messenger_list_webhook_deliveries.endpoint is null or d.endpoint = messenger_list_webhook_deliveries.endpoint)
    order by d.id desc limit max_scanned
  ),
  found as (
    select * from scanned s
    where (messenger_list_webhook_deliveries.event is null or s.event = messenger_list_webhook_deliveries.event)
      and (messenger_list_webhook_deliveries.delivered is null
        or s.delivered = messenger_list_webhook_deliveries.delivered)
    order by s.id desc limit max_deliveries
  )
  select jsonb_build_object(
    'deliveries', coalesce(jsonb_agg(
      to_jsonb(f) || jsonb_build_object(
        'id', f.id::text, 'event_id', f.event_id::text, 'message_id', f.message_id::text
      ) order by f.id desc
    ), '[]'),
    'next', case
      when count(*) = max_deliveries then min(f.id)
      when (select count(*) from scanned) = max_scanned then (select min(s.id) from scanned s)
    end::text
  )
  from found f
$$;
comment on function public.messenger_list_webhook_deliveries(text, text, boolean, bigint, integer, integer) is
  'Attempts to deliver webhooks, the latest first, of at most max_scanned rows a page. Returns {"deliveries", "next"}.';

-- The latest attempt of an event at an endpoint stands for all of them, so that a step sends nothing twice. With a
-- filter, what was delivered is left out; `p_ids` send it again all the same.
create function messenger.next_webhooks(
  p_ids bigint[], p_filter jsonb, p_place jsonb, p_max_rows integer,
  out ids bigint[], out seen bigint[]
)
language sql stable
set search_path = ''
as $$
  select
    array_agg(r.id order by r.id) filter (where r.exists_still and (p_ids is not null or r.is_last and not r.delivered)),
    array_agg(r.id order by r.id)
  from (
    select d.id, d.delivered,
      exists (select from public.messenger_webhook_events e where e.id = d.event_id) and exists (
        select from public.messenger_webhook_endpoints t where t.name = d.endpoint
      ) as exists_still,
      not exists (
        select from public.messenger_webhook_deliveries later
        where later.event_id = d.event_id and later.endpoint = d.endpoint and later.id > d.id
      ) and not exists (
        select from public.messenger_messages m where m.id = d.message_id
      ) as is_last
    from public.messenger_webhook_deliveries d
    where d.id > (p_place ->> 'id')::bigint and d.sent_at <= (p_place ->> 'since')::timestamptz
      and (p_ids is null or d.id = any (p_ids))
      and (not p_filter ? 'endpoint' or d.endpoint = p_filter ->> 'endpoint')
      and (not p_filter ? 'event' or d.event = p_filter ->> 'event')
      and (not p_filter ? 'sent_from' or d.sent_at >= (p_filter ->> 'sent_from')::timestamptz)
      and (not p_filter ? 'sent_until' or d.sent_at < (p_filter ->> 'sent_until')::timestamptz)
    order by d.id limit p_max_rows
  ) as r
$$;
comment on function messenger.next_webhooks(bigint[], jsonb, jsonb, integer) is
  'Part of messenger_resend_webhooks: attempts behind a place that are to be sent again, and all that were looked at.';

-- A dead letter of the delivery goes back into its queue; otherwise a new message is written, one at a time for each
-- event and endpoint.
create function messenger.resend_webhooks(p_ids bigint[]) returns integer
language plpgsql
set search_path = ''
as $$
declare
  dead bigint[];
  redriven integer := 0;
  written jsonb;
begin
  dead := array(
    select distinct f.id from public.messenger_webhook_deliveries d
    join public.messenger_failed_messages f on f.id = d.message_id
    where d.id = any (p_ids)
  );
  if cardinality(dead) > 0 then
    redriven := (public.messenger_redrive(ids => dead) ->> 'done')::integer;
  end if;
  written := (
    select jsonb_agg(messenger.webhook_message(
      d.endpoint, d.event_id, 'webhook:' || d.event_id || ':' || d.endpoint
    ) order by d.first)
    from (
      select d.endpoint, d.event_id, min(d.id) as first from public.messenger_webhook_deliveries d
      where d.id = any (p_ids) and d.message_id <> all (dead)
      group by d.endpoint, d.event_id
    ) as d
  );
  if written is not null then
    perform public.messenger_enqueue(written, checked => true);
  end if;
  return redriven + coalesce(jsonb_array_length(written), 0);
end
$$;
comment on function messenger.resend_webhooks(bigint[]) is
  'Part of messenger_resend_webhooks: sends attempts again, and returns how many messages that makes.';

create function public.messenger_resend_webhooks(
  ids bigint[] default null, endpoint text default null, event text default null,
  sent_from timestamptz default null, sent_until timestamptz default null, "all" boolean default false,
  dry_run boolean default false, after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  most constant integer := 1000;
  place constant jsonb := messenger.begin_step(after, most, dry_run);
  filter constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'endpoint', endpoint, 'event', event, 'sent_from', sent_from, 'sent_until', sent_until
  ));
  chunk record;
  done integer := 0;
begin
  if (ids is null and filter = '{}') <> coalesce("all", false) then
    raise sqlstate 'PT400' using message =
      'filter: give at least one of ids, endpoint, event, sent_from, sent_until, or "all" => true alone';
  end if;
  chunk := messenger.next_webhooks(ids, filter, place, most);
  if not dry_run and cardinality(chunk.ids) > 0 then
    done := messenger.resend_webhooks(chunk.ids);
  end if;
  return jsonb_build_object(
    'matched', coalesce(cardinality(chunk.ids), 0), 'done', done, 'running', 0,
    'missing', coalesce((
      select jsonb_agg(i::text order by i) from unnest(ids) as i
      where after is null and not exists (select from public.messenger_webhook_deliveries d where d.id = i)
    ), '[]'),
    'next', case when cardinality(chunk.seen) = most then
      place || jsonb_build_object('id', chunk.seen[most]::text)
    end
  );
end
$$;
comment on function public.messenger_resend_webhooks(bigint[], text, text, timestamptz, timestamptz, boolean, boolean, jsonb) is
  'Sends webhooks again: attempts by ids, or by a filter all events whose latest attempt at an endpoint failed and that wait for no further one. A dead letter goes back into its queue. Takes a step of 1,000 attempts, behind the "next" of the step before. Returns {"matched", "done", "running", "missing", "next"}.';
