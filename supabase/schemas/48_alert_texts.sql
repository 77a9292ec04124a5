-- The texts of alerts: numbers, names and advice, and nothing of a payload or of an error. Each kind of channel has
-- its own form of it.

create function messenger.duration_text(p_ms double precision) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when p_ms is null then 'an unknown time'
    when p_ms < 120000 then format('%s s', round(p_ms / 1000))
    when p_ms < 7200000 then format('%s min', round(p_ms / 60000))
    when p_ms < 172800000 then format('%s h', round((p_ms / 3600000)::numeric, 1))
    else format('%s days', round((p_ms / 86400000)::numeric, 1))
  end
$$;
comment on function messenger.duration_text(double precision) is
  'A duration in ms, for people.';

-- %1$s value, %2$s threshold, %3$s window, %4$s the filters, %5$s what has the value.
create function messenger.alert_summary(p_alert public.messenger_alerts) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  unit constant text := (select r.unit from messenger.alert_rules() r where r.rule = p_alert.rule);
  number constant text := case
    when p_alert.rule = 'queue_limited' or unit = 'ms' then messenger.duration_text(p_alert.value)
    when unit = 'share' then format('%s %%', round((p_alert.value * 100)::numeric))
    else coalesce(p_alert.value::text, 'no') || case
      when p_alert.rule = 'dead_letters' and p_alert.value >= messenger.max_dead_letters(p_alert) then ' or more'
      when p_alert.rule = 'schedule_failing' and p_alert.value >= greatest(10, p_alert.threshold) then ' or more'
      else '' end
  end;
  at_most constant text := case unit
    when 'ms' then messenger.duration_text(p_alert.threshold)
    when 'share' then format('%s %%', round((p_alert.threshold * 100)::numeric))
    else p_alert.threshold::text
  end;
  filters constant text := coalesce((
    select ' (' || string_agg(f.key || ' ' || f.value, ', ' order by f.key) || ')'
    from jsonb_each_text(to_jsonb(p_alert)) as f
    where f.key in ('type', 'reason', 'queue', 'schedule') and f.value is not null
  ), '');
begin
  return format(
    case p_alert.rule
      when 'dead_letters' then 'Dead letters%4$s within %3$s: %1$s; the alert fires at %2$s.%5$s'
      when 'oldest_ready' then 'The oldest due message%4$s has waited for %1$s; the alert fires at %2$s.'
      when 'no_tick' then 'The last tick began %1$s ago; the alert fires at %2$s.'
      when 'ticks_not_started' then 'Ticks that were asked for and have not started: %1$s; the alert fires at %2$s.'
      when 'schedule_overdue' then 'A run of a schedule%4$s is overdue by %1$s; the alert fires at %2$s.'
      when 'schedule_failing' then 'Runs of a schedule%4$s that have failed in a row: %1$s; the alert fires at %2$s.%5$s'
      when 'retry_rate' then '%1$s of the outcomes within %3$s are retries; the alert fires at %2$s.'
      when 'long_step' then 'A message%4$s runs, or sleeps or waits past its end, for %1$s; the alert fires at %2$s.%5$s'
      when 'queue_limited' then 'The limits of a queue%4$s have held back due messages for %1$s; the alert fires at %3$s.%5$s'
      when 'webhook_disabled' then 'Webhook endpoints that were disabled because their calls failed: %1$s; the alert fires at %2$s.%5$s'
    end,
    number, at_most, messenger.duration_text(p_alert.window_ms), filters,
    case when p_alert.subject is not null then format(' Most of all: %s.', p_alert.subject) end
  );
end
$$;
comment on function messenger.alert_summary(public.messenger_alerts) is
  'The finding of an alert, in one or two sentences.';

create function messenger.alert_advice(p_rule text) returns text
language sql immutable
set search_path = ''
as $$
  select case p_rule
    when 'dead_letters' then 'See their errors: symphony-messenger failed list. Redrive them after the cause is fixed.'
    when 'oldest_ready' then 'See symphony-messenger health and queues list. Check the queue''s limits, or raise its max_workers.'
    when 'no_tick' then 'Run symphony-messenger doctor: it says whether the function tick, the cron job or the key is at fault.'
    when 'ticks_not_started' then 'Run symphony-messenger doctor, and see the logs of the function tick.'
    when 'schedule_overdue' then 'No tick plans schedules. Run symphony-messenger doctor, and see the logs of the function tick.'
    when 'schedule_failing' then 'See symphony-messenger schedules runs, and failed list for the errors.'
    when 'retry_rate' then 'A service that handlers call may be down. See the errors: symphony-messenger messages list.'
    when 'long_step' then 'See symphony-messenger messages show. Cancel it, or give its handler a timeout.'
    when 'queue_limited' then 'Raise the limits: symphony-messenger queues set --concurrency or --rate-limit.'
    when 'webhook_disabled' then 'See symphony-messenger webhooks show. Enable it once its receiver works, and send again with webhooks resend.'
  end
$$;
comment on function messenger.alert_advice(text) is
  'Advice for the operator when an alert of a rule fires.';

-- The form of Standard Webhooks. Handlers of a message type of the user's get the same.
create function messenger.alert_body(p_event text, p_data jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object('type', 'messenger.alert.' || p_event, 'timestamp', public.messenger_now(), 'data', p_data)
$$;
comment on function messenger.alert_body(text, jsonb) is
  'The content of a delivery: {"type", "timestamp", "data"}.';

create function messenger.alert_data(p_alert public.messenger_alerts, p_event text) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'title', format('%s: %s', case p_event when 'firing' then 'Alert' else 'Resolved' end, p_alert.name),
    'summary', messenger.alert_summary(p_alert),
    'advice', case p_event
      when 'firing' then messenger.alert_advice(p_alert.rule) else 'It is over; there is nothing to do.' end,
    'since', p_alert.since
  ) || jsonb_strip_nulls(jsonb_build_object(
    'alert', p_alert.name, 'rule', p_alert.rule, 'type', p_alert.type, 'reason', p_alert.reason,
    'queue', p_alert.queue, 'schedule', p_alert.schedule, 'value', p_alert.value, 'threshold', p_alert.threshold,
    'windowMs', p_alert.window_ms, 'subject', p_alert.subject
  ));
end
$$;
comment on function messenger.alert_data(public.messenger_alerts, text) is
  'The data of a delivery: title, summary and advice for people, and its rule, filters, value and threshold for programs.';

-- Slack reads & < > as its own markup; an incoming webhook makes no mention of a plain @. Discord knows backslashes, and
-- pings only those whom allowed_mentions lets it.
create function messenger.alert_content(p_kind text, p_body jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  data constant jsonb := p_body -> 'data';
  lines text[] := array[data ->> 'title', data ->> 'summary', data ->> 'advice', data ->> 'project'];
begin
  case p_kind
    when 'slack' then
      lines := array(
        select replace(replace(replace(l.line, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')
        from unnest(lines) with ordinality as l (line, number) where l.line is not null order by l.number
      );
      return jsonb_build_object(
        'text', left(array_to_string(array[format('*%s*', lines[1])] || lines[2:], e'\n'), 3000)
      );
    when 'discord' then
      lines := array(
        select regexp_replace(l.line, '([\\*_~`|<>\[\]])', '\\\1', 'g')
        from unnest(lines) with ordinality as l (line, number) where l.line is not null order by l.number
      );
      return jsonb_build_object(
        'content', left(array_to_string(array[format('**%s**', lines[1])] || lines[2:], e'\n'), 1900),
        'allowed_mentions', '{"parse": []}'::jsonb
      );
    else
      return p_body;
  end case;
end
$$;
comment on function messenger.alert_content(text, jsonb) is
  'The JSON for a channel of a kind: Slack''s and Discord''s JSON, or the body as it is.';

-- HMAC by RFC 2104 over the sha256() of Postgres. pgcrypto has it too, but may be absent, or in a schema of any name.
create function messenger.hmac_sha256(p_key bytea, p_content bytea) returns bytea
language plpgsql immutable
set search_path = ''
as $$
declare
  key constant bytea := case when octet_length(p_key) > 64 then sha256(p_key) else p_key end;
  inner_pad bytea := decode(repeat('36', 64), 'hex');
  outer_pad bytea := decode(repeat('5c', 64), 'hex');
begin
  for i in 0 .. octet_length(key) - 1 loop
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  end loop;
  return sha256(outer_pad || sha256(inner_pad || p_content));
end
$$;
comment on function messenger.hmac_sha256(bytea, bytea) is
  'HMAC-SHA-256 of a content under a key.';

-- pg_net sends convert_to(body::text, 'UTF8'), so that exactly these bytes are signed. The time is the wall clock's: the
-- receiver compares it with its own.
create function messenger.webhook_headers(p_id text, p_content jsonb, p_secret text) returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
  seconds constant text := floor(extract(epoch from clock_timestamp()))::bigint::text;
begin
  return jsonb_build_object('Content-Type', 'application/json', 'webhook-id', p_id, 'webhook-timestamp', seconds)
    || case
      when p_secret is null then '{}'
      else jsonb_build_object('webhook-signature', 'v1,' || encode(
        messenger.hmac_sha256(
          decode(substr(p_secret, length('whsec_') + 1), 'base64'),
          convert_to(format('%s.%s.%s', p_id, seconds, p_content), 'UTF8')
        ), 'base64'
      ))
    end;
end
$$;
comment on function messenger.webhook_headers(text, jsonb, text) is
  'Headers of a webhook as Standard Webhooks says: webhook-id, webhook-timestamp and, with a secret, webhook-signature.';
