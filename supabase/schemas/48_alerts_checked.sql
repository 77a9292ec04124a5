-- The checks of alerts, and what is told of them. The cron job symphony-alerts calls messenger_check_alerts() every
-- minute. Runs that overlap double nothing: the second one ends at once, and the state of an alert and its delivery are
-- written in one transaction.

create function messenger.alert_channel(p_alert public.messenger_alerts) returns text
language sql stable
set search_path = ''
as $$
  select coalesce(p_alert.channel, (select c.name from public.messenger_alert_channels c where c.is_default))
$$;
comment on function messenger.alert_channel(public.messenger_alerts) is
  'The channel on which an alert is told: its own, or the default one; null if there is none.';

-- While the receiver is down, one delivery that says that the alert fires is enough.
create function messenger.tell_alert(p_alert public.messenger_alerts, p_event text) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  wanted_channel constant text := messenger.alert_channel(p_alert);
begin
  if wanted_channel is null then
    return false;
  end if;
  insert into public.messenger_alert_deliveries (alert, channel, event, body)
  select p_alert.name, wanted_channel, p_event, messenger.alert_body(p_event, messenger.alert_data(p_alert, p_event))
  where (
    select d.event from public.messenger_alert_deliveries d
    where d.alert = p_alert.name and d.channel = wanted_channel and d.status in ('pending', 'sent')
    order by d.id desc limit 1
  ) is distinct from p_event;
  return true;
end
$$;
comment on function messenger.tell_alert(public.messenger_alerts, text) is
  'Writes the delivery of an alert''s event, unless one of the same is still under way. Returns false if there is no channel to tell it on.';

-- The states. An alert that fires is told once, and again after each cooldown. An alert that is
-- over is told as resolved if it was told before. Until the cooldown has passed, an alert that fires again stays cooling_down, and is not told.
create function messenger.advance_alert(p_alert public.messenger_alerts, p_fires boolean)
returns public.messenger_alerts
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  is_cool constant boolean :=
    coalesce(p_alert.told_at + p_alert.cooldown_ms * interval '1 millisecond' <= clock, true);
  later public.messenger_alerts := p_alert;
begin
  if p_fires and (p_alert.state <> 'cooling_down' or is_cool) then
    later.state := 'firing';
  elsif p_alert.state = 'firing' then
    later.state := case when p_alert.told_at is null then 'resolved' else 'cooling_down' end;
  elsif is_cool then
    later.state := 'resolved';
  end if;
  if later.state <> p_alert.state then
    later.since := clock;
  end if;
  if later.state = 'resolved' then
    later.told_at := null;
  elsif later.state = 'firing' and is_cool then
    if messenger.tell_alert(later, 'firing') then
      later.told_at := clock;
    end if;
  elsif later.state = 'cooling_down' and p_alert.state = 'firing' then
    perform messenger.tell_alert(later, 'resolved');
    later.told_at := clock;
  end if;
  return later;
end
$$;
comment on function messenger.advance_alert(public.messenger_alerts, boolean) is
  'The alert after a check that found that it fires, or that it does not; writes what is to be told.';

-- A fault stays the alert's own: it is written on the alert, and the others are checked.
create function messenger.check_one_alert(p_alert public.messenger_alerts) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  later public.messenger_alerts := p_alert;
begin
  perform messenger.check_alert(p_alert);
  select m.value, m.subject, m.memory into later.value, later.subject, later.memory
  from messenger.measure_alert(p_alert) as m;
  later := messenger.advance_alert(
    later, coalesce(later.value >= coalesce(p_alert.threshold, p_alert.window_ms), false)
  );
  update public.messenger_alerts a
  set (state, value, subject, since, told_at, memory, checked_at, error) = (
    later.state, later.value, later.subject, later.since, later.told_at, later.memory, clock, null
  )
  where a.name = p_alert.name;
exception when others then
  update public.messenger_alerts a set checked_at = clock, error = left(sqlerrm, 500)
  where a.name = p_alert.name;
end
$$;
comment on function messenger.check_one_alert(public.messenger_alerts) is
  'Part of messenger_check_alerts: measures an alert, and writes its state and what is to be told.';

create function messenger.post_alert(
  p_delivery public.messenger_alert_deliveries, p_channel public.messenger_alert_channels, p_body jsonb
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  url constant text := (
    select s.decrypted_secret from vault.decrypted_secrets s
    where s.name = messenger.alert_secret_name(p_channel.name, 'url')
  );
  secret constant text := (
    select s.decrypted_secret from vault.decrypted_secrets s
    where s.name = messenger.alert_secret_name(p_channel.name, 'secret')
  );
  content constant jsonb := messenger.alert_content(p_channel.kind, p_body);
begin
  if url is null or p_channel.signed and secret is null then
    raise exception 'Vault has no secret %',
      messenger.alert_secret_name(p_channel.name, case when url is null then 'url' else 'secret' end);
  end if;
  return net.http_post(
    url := url, body := content,
    headers := case p_channel.kind
      when 'webhook' then messenger.webhook_headers('msg_' || replace(p_delivery.webhook_id::text, '-', ''), content, secret)
      else '{"Content-Type": "application/json"}' end,
    timeout_milliseconds := 10000
  );
end
$$;
comment on function messenger.post_alert(
  public.messenger_alert_deliveries, public.messenger_alert_channels, jsonb
) is
  'Part of messenger.send_alert_deliveries(): gives a delivery to pg_net, which sends it at the commit. Returns pg_net''s id of the request.';

-- A message of the user's is written in the same transaction, and so is delivered. `project` tells which project it is:
-- the host of its URL.
create function messenger.send_alert(p_delivery public.messenger_alert_deliveries) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  told_on public.messenger_alert_channels;
  body jsonb;
  request bigint;
begin
  -- Not where it is declared: an error there is none of this block, and would end the whole check.
  body := jsonb_set(
    p_delivery.body, '{data,project}',
    coalesce(to_jsonb((regexp_match(messenger.tick_url(), '^https?://([^/?#]+)'))[1]), 'null')
  );
  update public.messenger_alert_deliveries d set attempts = d.attempts + 1 where d.id = p_delivery.id;
  select * into told_on from public.messenger_alert_channels c where c.name = p_delivery.channel;
  if told_on.name is null then
    perform messenger.fail_alert_delivery(p_delivery, null, format('there is no channel %s', p_delivery.channel), true);
    return;
  end if;
  if told_on.kind = 'message' then
    perform public.messenger_dispatch(told_on.message_type, body);
    update public.messenger_alert_deliveries d set status = 'delivered', error = null, finished_at = clock
    where d.id = p_delivery.id;
    return;
  end if;
  request := messenger.post_alert(p_delivery, told_on, body);
  update public.messenger_alert_deliveries d
  set status = 'sent', request_id = request, sent_at = clock_timestamp(), next_attempt_at = clock + interval '15 seconds'
  where d.id = p_delivery.id;
exception when others then
  update public.messenger_alert_deliveries d set attempts = d.attempts + 1 where d.id = p_delivery.id;
  perform messenger.fail_alert_delivery(p_delivery, null, sqlerrm);
end
$$;
comment on function messenger.send_alert(public.messenger_alert_deliveries) is
  'Part of messenger.send_alert_deliveries(): makes one attempt. A failure before the request is noted as any other one.';

-- Runs with its owner's rights: the service role may read neither Vault nor pg_net's responses. It takes no arguments, sends
-- only what the table of deliveries has, to the URLs in Vault, and returns nothing of them. The deliveries of an alert
-- on a channel go one after the other, so that "resolved" never comes before "firing".
create function messenger.send_alert_deliveries() returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  delivery public.messenger_alert_deliveries;
begin
  for delivery in
    select * from public.messenger_alert_deliveries d
    where d.status = 'sent' order by d.id limit 500 for update skip locked
  loop
    begin
      perform messenger.settle_alert_delivery(delivery);
    exception when others then
      perform messenger.fail_alert_delivery(delivery, null, sqlerrm);
    end;
  end loop;
  for delivery in
    select * from public.messenger_alert_deliveries d
    where d.status = 'pending' and d.next_attempt_at <= public.messenger_now() and not exists (
      select from public.messenger_alert_deliveries earlier
      where earlier.status in ('pending', 'sent') and earlier.id < d.id
        and earlier.alert = d.alert and earlier.channel = d.channel
    )
    order by d.id limit 100 for update skip locked
  loop
    begin
      perform messenger.send_alert(delivery);
    exception when others then
      perform messenger.fail_alert_delivery(delivery, null, sqlerrm);
    end;
  end loop;
end
$$;
comment on function messenger.send_alert_deliveries() is
  'Notes the responses to deliveries of alerts that were sent, and sends those that are due.';

create function public.messenger_check_alerts() returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  alert public.messenger_alerts;
  checked integer := 0;
  fault_detail text;
begin
  if not pg_try_advisory_xact_lock(pg_catalog.hashtextextended('symphony_messenger.alerts', 0)) then
    return jsonb_build_object('checked', 0, 'skipped', true);
  end if;
  update public.messenger_alerts a set state = 'resolved', since = public.messenger_now(), told_at = null
  where not a.enabled and a.state <> 'resolved';
  if exists (select from public.messenger_alerts a where a.rule = 'long_step' and a.enabled) then
    perform messenger.note_running();
  end if;
  for alert in
    select * from public.messenger_alerts a where a.enabled order by a.name limit 1000 for update skip locked
  loop
    perform messenger.check_one_alert(alert);
    checked := checked + 1;
  end loop;
  perform messenger.send_alert_deliveries();
  perform messenger.check_deferred('messenger_check_alerts');
  return jsonb_build_object('checked', checked, 'skipped', false);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_check_alerts() is
  'Checks each alert, and sends what is to be told. pg_cron calls it every minute. Returns {"checked", "skipped"}; skipped is true while another call is at it.';
