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
    order by e.name limit messenger.page_size(max_endpoints, 'max_endpoints')
  )
  select jsonb_build_object(
    'endpoints', coalesce(jsonb_agg(f.endpoint order by f.name), '[]'),
    'next', case when count(*) = max_endpoints then max(f.name) end
  )
  from found f
$$;
comment on function public.messenger_list_webhook_endpoints(text, text, integer) is
  'Webhook endpoints by name. Returns {"endpoints", "next"}: next is the after_name of the next page. It shows the names of secrets in Vault, and not their values.';

create function messenger.disabled_webhooks(p_max_endpoints integer default 20) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('name', e.name, 'reason', e.disabled_reason) order by e.name), '[]')
  from (
    select * from public.messenger_webhook_endpoints e
    where e.disabled_by in ('failures', 'gone') order by e.name limit p_max_endpoints
  ) as e
$$;
comment on function messenger.disabled_webhooks(integer) is
  'Endpoints that were disabled for failures or a 410, at most p_max_endpoints: [{"name", "reason"}]. Endpoints that an operator disabled are left out.';

-- In plpgsql, because Postgres plans it for the arguments of each call: see the settings of planning.
create function public.messenger_list_webhook_deliveries(
  endpoint text default null, event text default null, delivered boolean default null,
  before_id bigint default null, max_deliveries integer default 50, max_scanned integer default 10000
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  most_read constant integer := case
    when event is null and delivered is null then least(max_deliveries, max_scanned) else max_scanned
  end;
begin
  perform messenger.page_size(max_deliveries, 'max_deliveries'), messenger.page_size(max_scanned, 'max_scanned');
  return (
    with scanned as (
      select d.* from public.messenger_webhook_deliveries d
      where d.id < coalesce(before_id, 9223372036854775807)
        and (messenger_list_webhook_deliveries.endpoint is null or d.endpoint = messenger_list_webhook_deliveries.endpoint)
      order by d.id desc limit most_read
    ),
    listed as (
      select * from scanned s
      where (messenger_list_webhook_deliveries.event is null or s.event = messenger_list_webhook_deliveries.event)
        and (messenger_list_webhook_deliveries.delivered is null
          or s.delivered = messenger_list_webhook_deliveries.delivered)
      order by s.id desc limit max_deliveries
    )
    select jsonb_build_object(
      'deliveries', coalesce(jsonb_agg(
        to_jsonb(l) || jsonb_build_object(
          'id', l.id::text, 'event_id', l.event_id::text, 'message_id', l.message_id::text
        ) order by l.id desc
      ), '[]'),
      'next', case
        when count(*) = max_deliveries then min(l.id)
        when (select count(*) from scanned) = most_read then (select min(s.id) from scanned s)
      end::text
    )
    from listed l
  );
end
$$;
comment on function public.messenger_list_webhook_deliveries(text, text, boolean, bigint, integer, integer) is
  'Attempts to send webhooks, the latest first. Returns {"deliveries", "next"}: next is the before_id of the next page. A page reads at most max_scanned rows, so that it may have few attempts and a next.';

-- The latest attempt of an event at an endpoint stands for all of them, so that a step sends nothing twice. With a
-- filter, what was delivered is left out; `p_ids` send it again all the same. An event that still waits for the endpoint,
-- in whatever message, is left out by both. In plpgsql, because Postgres plans it for the arguments of each call.
create function messenger.next_webhooks(
  p_ids bigint[], p_filter jsonb, p_place jsonb, p_max_rows integer, p_max_scanned integer default 10000,
  out ids bigint[], out last bigint
)
language plpgsql stable
set search_path = ''
as $$
declare
  at_endpoint constant text := p_filter ->> 'endpoint';
  wanted bigint[];
begin
  with scanned as materialized (
    select d.id, d.event, d.sent_at from public.messenger_webhook_deliveries d
    where d.id > (p_place ->> 'id')::bigint and (p_ids is null or d.id = any (p_ids))
      and (at_endpoint is null or d.endpoint = at_endpoint) and (p_ids is not null or not d.delivered)
    order by d.id limit p_max_scanned
  ),
  meant as materialized (
    select s.id from scanned s
    where s.sent_at <= (p_place ->> 'since')::timestamptz
      and (not p_filter ? 'event' or s.event = p_filter ->> 'event')
      and (not p_filter ? 'sent_from' or s.sent_at >= (p_filter ->> 'sent_from')::timestamptz)
      and (not p_filter ? 'sent_until' or s.sent_at < (p_filter ->> 'sent_until')::timestamptz)
    order by s.id limit p_max_rows
  )
  select array(select m.id from meant m), case
    when (select count(*) from meant) = p_max_rows then (select max(m.id) from meant m)
    when (select count(*) from scanned) = p_max_scanned then (select max(s.id) from scanned s)
  end into wanted, last;
  ids := array(
    select d.id from public.messenger_webhook_deliveries d
    where d.id = any (wanted)
      and exists (select from public.messenger_webhook_events e where e.id = d.event_id)
      and exists (select from public.messenger_webhook_endpoints t where t.name = d.endpoint)
      and not exists (
        select from public.messenger_webhook_deliveries o
        join public.messenger_messages m on m.id = o.message_id
        where o.event_id = d.event_id and o.endpoint = d.endpoint
      )
      and (p_ids is not null or not exists (
        select from public.messenger_webhook_deliveries later
        where later.event_id = d.event_id and later.endpoint = d.endpoint and later.id > d.id
      ))
    order by d.id
  );
end
$$;
comment on function messenger.next_webhooks(bigint[], jsonb, jsonb, integer, integer) is
  'Part of messenger_resend_webhooks: ids of the attempts that are to be sent again: up to p_max_rows behind a place, among at most p_max_scanned that it reads. last is where the next step continues; null at the end.';

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
    -- Passes those that cannot be a message, which messenger_redrive() refuses.
    redriven := (messenger.redrive_ids(dead, '{}') ->> 'done')::integer;
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
  'Part of messenger_resend_webhooks: sends the events of attempts again. Returns the number of dead letters that it redrove and messages that it wrote.';

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
  fault_detail text;
begin
  if (ids is null and filter = '{}') <> coalesce("all", false) then
    raise sqlstate 'PT400' using message =
      'filter: give at least one of ids, endpoint, event, sent_from, sent_until, or "all" => true alone';
  end if;
  perform messenger.check_ranges(filter);
  chunk := messenger.next_webhooks(ids, filter, place, most);
  if not dry_run and cardinality(chunk.ids) > 0 then
    done := messenger.resend_webhooks(chunk.ids);
  end if;
  perform messenger.check_deferred('messenger_resend_webhooks');
  return jsonb_build_object(
    'matched', coalesce(cardinality(chunk.ids), 0), 'done', done, 'running', 0,
    'missing', coalesce((
      select jsonb_agg(i::text order by i) from unnest(ids) as i
      where after is null and not exists (select from public.messenger_webhook_deliveries d where d.id = i)
    ), '[]'),
    'next', case when chunk.last is not null then place || jsonb_build_object('id', chunk.last::text) end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_resend_webhooks(bigint[], text, text, timestamptz, timestamptz, boolean, boolean, jsonb) is
  'Sends webhooks again: those of the attempts in ids, or those that match a filter and whose latest attempt failed. Events for which a message still waits are left out. A dead letter goes back into its queue. Takes one step of up to 1,000 attempts, among at most 10,000 that it reads, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "missing", "next"}.';
