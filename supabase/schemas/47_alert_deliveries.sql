-- Deliveries of alerts. pg_net may lose a request or send it twice, and keeps its answer for some hours: a delivery is
-- a row that is tried until the receiver has taken it. The row is written in the transaction that changes the alert.

create table public.messenger_alert_deliveries (
  id bigint generated always as identity primary key,
  webhook_id uuid not null default gen_random_uuid(),
  alert text,
  channel text not null,
  event text not null check (event in ('firing', 'resolved', 'test')),
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  status text not null default 'pending' check (status in ('pending', 'sent', 'delivered', 'failed')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default public.messenger_now(),
  give_up_at timestamptz not null default public.messenger_now() + interval '24 hours',
  request_id bigint,
  sent_at timestamptz,
  status_code integer,
  error text,
  created_at timestamptz not null default public.messenger_now(),
  finished_at timestamptz
);

comment on table public.messenger_alert_deliveries is
  'Deliveries of alerts: what was told on which channel, and whether it arrived. Rows are deleted after 30 days.';
comment on column public.messenger_alert_deliveries.id is
  'Identity of the delivery; ids grow with time.';
comment on column public.messenger_alert_deliveries.webhook_id is
  'The header webhook-id, the same at each attempt, by which a receiver knows a repetition.';
comment on column public.messenger_alert_deliveries.alert is
  'Name of the alert; null for a test of the channel.';
comment on column public.messenger_alert_deliveries.channel is
  'Name of the channel.';
comment on column public.messenger_alert_deliveries.event is
  'firing: the alert fires, or still does after its cooldown. resolved: it is over. test: an operator has asked for a test.';
comment on column public.messenger_alert_deliveries.body is
  'Content that is sent, which each kind of channel puts into a form of its own. It has numbers and names, and nothing of a payload.';
comment on column public.messenger_alert_deliveries.status is
  'pending: waits for an attempt. sent: pg_net has the request. delivered: the receiver has taken it. failed: given up.';
comment on column public.messenger_alert_deliveries.attempts is
  'Number of attempts, with those that could not be sent; an operator''s retry begins again at 0.';
comment on column public.messenger_alert_deliveries.next_attempt_at is
  'Of a pending delivery, when its next attempt is made; of a sent one, until when its answer is awaited.';
comment on column public.messenger_alert_deliveries.give_up_at is
  'When the last attempt is made; if it fails, the delivery has failed.';
comment on column public.messenger_alert_deliveries.request_id is
  'pg_net''s id of the last request.';
comment on column public.messenger_alert_deliveries.sent_at is
  'When it was last given to pg_net.';
comment on column public.messenger_alert_deliveries.status_code is
  'HTTP status of the last answer.';
comment on column public.messenger_alert_deliveries.error is
  'Why the last attempt failed.';
comment on column public.messenger_alert_deliveries.created_at is
  'When the alert changed.';
comment on column public.messenger_alert_deliveries.finished_at is
  'When it was delivered or given up.';

create index messenger_alert_deliveries_open_idx
  on public.messenger_alert_deliveries (id) where status in ('pending', 'sent');
comment on index public.messenger_alert_deliveries_open_idx is
  'Deliveries that are pending or sent.';
create index messenger_alert_deliveries_channel_idx
  on public.messenger_alert_deliveries (channel, id);
comment on index public.messenger_alert_deliveries_channel_idx is
  'Deliveries of a channel, the latest of which tells whether it works.';
create index messenger_alert_deliveries_created_at_idx
  on public.messenger_alert_deliveries (created_at);
comment on index public.messenger_alert_deliveries_created_at_idx is
  'Deliveries by age, for pruning.';

alter table public.messenger_alert_deliveries enable row level security;

-- Backoff: 1 minute, doubled at each attempt, up to an hour. The last attempt comes when the day is over. A test is
-- tried once, so that its outcome is known at once.
create function messenger.fail_alert_delivery(
  p_delivery public.messenger_alert_deliveries, p_status_code integer, p_error text, p_is_final boolean default false
) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  is_over constant boolean := p_is_final or p_delivery.event = 'test' or clock >= p_delivery.give_up_at;
begin
  update public.messenger_alert_deliveries d
  set status = case when is_over then 'failed' else 'pending' end, status_code = p_status_code,
    error = left(p_error, 500), finished_at = case when is_over then clock end,
    next_attempt_at = least(
      d.give_up_at, clock + least(interval '1 hour', interval '1 minute' * 2 ^ least(greatest(d.attempts, 1) - 1, 10))
    )
  where d.id = p_delivery.id;
end
$$;
comment on function messenger.fail_alert_delivery(public.messenger_alert_deliveries, integer, text, boolean) is
  'Notes a failed attempt of a delivery: it is tried again after a backoff, or given up if a day has passed, if the failure is final or if it is a test.';

-- The answer to its request decides a delivery. An answer is looked for by its time, because pg_net's table
-- has no index by request, and because ids begin again after a crash.
create function messenger.settle_alert_delivery(p_delivery public.messenger_alert_deliveries) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  found_answer net._http_response;
begin
  select * into found_answer from net._http_response r
  where r.id = p_delivery.request_id
    and r.created between p_delivery.sent_at - interval '10 seconds' and p_delivery.sent_at + interval '10 minutes'
  order by r.created desc limit 1;
  if found_answer.status_code between 200 and 299 then
    update public.messenger_alert_deliveries d
    set status = 'delivered', status_code = found_answer.status_code, error = null, finished_at = clock
    where d.id = p_delivery.id;
  elsif found_answer.status_code is not null then
    perform messenger.fail_alert_delivery(
      p_delivery, found_answer.status_code,
      rtrim(format('HTTP %s %s', found_answer.status_code, left(found_answer.content, 200))),
      found_answer.status_code between 300 and 499 and found_answer.status_code not in (408, 425, 429)
    );
  elsif found_answer.id is not null then
    perform messenger.fail_alert_delivery(
      p_delivery, null, coalesce(found_answer.error_msg, case when found_answer.timed_out then 'timed out' end, 'no answer')
    );
  elsif clock >= p_delivery.next_attempt_at and (
    clock >= p_delivery.give_up_at
    or not exists (select from net.http_request_queue q where q.id = p_delivery.request_id)
  ) then
    perform messenger.fail_alert_delivery(p_delivery, null, 'no answer: pg_net has lost the request');
  end if;
end
$$;
comment on function messenger.settle_alert_delivery(public.messenger_alert_deliveries) is
  'Part of messenger.send_alert_deliveries(): notes the answer to a delivery''s request, or that none has come in time. A request that pg_net still has is waited for.';

create function messenger.alert_delivery_json(p_delivery public.messenger_alert_deliveries) returns jsonb
language sql immutable
set search_path = ''
as $$
  select to_jsonb(p_delivery) - array['request_id', 'give_up_at', 'sent_at']
    || jsonb_build_object('id', p_delivery.id::text)
$$;
comment on function messenger.alert_delivery_json(public.messenger_alert_deliveries) is
  'A delivery as operators see it.';

create function public.messenger_list_alert_deliveries(
  before_id bigint default null, max_deliveries integer default 50, alert text default null,
  channel text default null, status text default null
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select d as delivery, d.id from public.messenger_alert_deliveries d
    where d.id < coalesce(before_id, 9223372036854775807)
      and (messenger_list_alert_deliveries.alert is null or d.alert = messenger_list_alert_deliveries.alert)
      and (messenger_list_alert_deliveries.channel is null or d.channel = messenger_list_alert_deliveries.channel)
      and (messenger_list_alert_deliveries.status is null or d.status = messenger_list_alert_deliveries.status)
    order by d.id desc
    limit messenger.page_size(max_deliveries, 'max_deliveries')
  )
  select jsonb_build_object(
    'deliveries', coalesce(jsonb_agg(messenger.alert_delivery_json(f.delivery) order by f.id desc), '[]'),
    'next', case when count(*) = max_deliveries then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_alert_deliveries(bigint, integer, text, text, text) is
  'Deliveries of alerts, the latest first, those before an id, of an alert, a channel or a status. Returns {"deliveries", "next"}; next is the id before which the next page begins.';

create function public.messenger_show_alert_delivery(id bigint) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.send_alert_deliveries();
  return (
    select messenger.alert_delivery_json(d) from public.messenger_alert_deliveries d
    where d.id = messenger_show_alert_delivery.id
  );
end
$$;
comment on function public.messenger_show_alert_delivery(bigint) is
  'A delivery of an alert, with the answer that has come by now; null if there is none of this id.';

create function public.messenger_retry_alert_delivery(id bigint) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  had text;
  fault_detail text;
begin
  select d.status into had from public.messenger_alert_deliveries d
  where d.id = messenger_retry_alert_delivery.id for update;
  if had is null then
    raise sqlstate 'PT404' using message = format('id: there is no delivery %s', id);
  end if;
  if had in ('sent', 'delivered') then
    raise sqlstate 'PT409' using message = format(
      'id: the delivery %s %s', id, case had when 'sent' then 'is under way' else 'has arrived' end
    );
  end if;
  update public.messenger_alert_deliveries d
  set status = 'pending', attempts = 0, next_attempt_at = clock, give_up_at = clock + interval '24 hours',
    finished_at = null
  where d.id = messenger_retry_alert_delivery.id;
  perform messenger.send_alert_deliveries();
  perform messenger.check_deferred('messenger_retry_alert_delivery');
  return jsonb_build_object('changed', true);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_retry_alert_delivery(bigint) is
  'Sends a delivery now that failed or waits for its next attempt, and tries it for another day. Returns {"changed"}.';

create function public.messenger_test_alert_channel(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  delivery_id bigint;
  fault_detail text;
begin
  if not exists (
    select from public.messenger_alert_channels c where c.name = messenger_test_alert_channel.name
  ) then
    raise sqlstate 'PT404' using message = format('name: there is no channel %s', name);
  end if;
  insert into public.messenger_alert_deliveries (channel, event, body, give_up_at)
  values (
    name, 'test', messenger.alert_body('test', jsonb_build_object(
      'title', format('Test of the channel %s', name), 'summary', 'Alerts of Symphony Messenger arrive here.',
      'advice', 'There is nothing to do.'
    )), public.messenger_now() + interval '2 minutes'
  )
  returning messenger_alert_deliveries.id into delivery_id;
  perform messenger.send_alert_deliveries();
  perform messenger.check_deferred('messenger_test_alert_channel');
  return jsonb_build_object('id', delivery_id::text, 'changed', true);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_test_alert_channel(text) is
  'Sends a test to a channel, once, at the commit. Returns {"id", "changed"}: the id of the delivery, whose outcome messenger_show_alert_delivery() returns.';
