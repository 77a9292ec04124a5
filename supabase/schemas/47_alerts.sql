-- Alerts tell operators by themselves that the bus is in trouble. pg_cron checks each alert every minute (48_alerts_checked.sql), and
-- pg_net posts what is to be told, so that alerts come while the functions are down.

create table public.messenger_alerts (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  rule text not null check (
    rule in (
      'dead_letters', 'oldest_ready', 'no_tick', 'ticks_not_started', 'schedule_overdue', 'schedule_failing',
      'retry_rate', 'long_step', 'queue_limited', 'webhook_disabled'
    )
  ),
  type text check (length(type) between 1 and 200),
  reason text check (length(reason) between 1 and 200),
  queue text check (length(queue) between 1 and 401),
  schedule text check (length(schedule) between 1 and 200),
  threshold double precision,
  window_ms bigint,
  channel text references public.messenger_alert_channels,
  cooldown_ms bigint not null default 3600000,
  enabled boolean not null default true,
  state text not null default 'resolved' check (state in ('firing', 'cooling_down', 'resolved')),
  value double precision,
  subject text,
  since timestamptz not null default public.messenger_now(),
  told_at timestamptz,
  checked_at timestamptz,
  error text,
  memory jsonb,
  created_at timestamptz not null default public.messenger_now(),
  updated_at timestamptz not null default public.messenger_now()
);

comment on table public.messenger_alerts is
  'Alerts and their state. SQL and the table editor may write rows; a row that cannot be checked has the reason in its error.';
comment on column public.messenger_alerts.name is
  'Name of the alert: letters, digits and _ . : - only.';
comment on column public.messenger_alerts.rule is
  'The rule by which it is measured; see messenger.alert_rules().';
comment on column public.messenger_alerts.type is
  'Only messages of this type count; for dead_letters and long_step.';
comment on column public.messenger_alerts.reason is
  'Only dead letters for this reason count; null: for all reasons but cancelled.';
comment on column public.messenger_alerts.queue is
  'Only messages of this queue count; for dead_letters, oldest_ready, long_step and queue_limited.';
comment on column public.messenger_alerts.schedule is
  'Only the schedule of this name counts; for schedule_overdue and schedule_failing.';
comment on column public.messenger_alerts.threshold is
  'The alert fires from this value on: a number, ms, or a share from 0 to 1, by the rule. Null for queue_limited.';
comment on column public.messenger_alerts.window_ms is
  'Time in which dead_letters and retry_rate count, and for which queue_limited has to last, in ms. Null for the other rules.';
comment on column public.messenger_alerts.channel is
  'Where it is told; null: on the default channel.';
comment on column public.messenger_alerts.cooldown_ms is
  'For so long after it was told it is not told again, in ms, save that it is over.';
comment on column public.messenger_alerts.enabled is
  'An alert that is not enabled is not checked, and counts as resolved.';
comment on column public.messenger_alerts.state is
  'firing: the value has reached the threshold. cooling_down: it is over, and is not told again until the cooldown has passed. resolved.';
comment on column public.messenger_alerts.value is
  'The value at the last check; null if there was nothing to measure.';
comment on column public.messenger_alerts.subject is
  'The queue, schedule, type or message that has this value, where the rule knows one.';
comment on column public.messenger_alerts.since is
  'Since when it is in this state.';
comment on column public.messenger_alerts.told_at is
  'When it was last told; null if it was not since it was last resolved.';
comment on column public.messenger_alerts.checked_at is
  'When it was last checked.';
comment on column public.messenger_alerts.error is
  'Why the last check failed; the state is that of the check before.';
comment on column public.messenger_alerts.memory is
  'State that the rule keeps from check to check: for queue_limited, since when each queue is held back.';
comment on column public.messenger_alerts.created_at is
  'When the alert was made.';
comment on column public.messenger_alerts.updated_at is
  'When it was last changed with messenger_set_alert().';

create index messenger_alerts_channel_idx on public.messenger_alerts (channel);
comment on index public.messenger_alerts_channel_idx is
  'Alerts by their channel, for its deletion.';

alter table public.messenger_alerts enable row level security;

create table messenger.default_alerts_made (
  name text primary key,
  made_at timestamptz not null default public.messenger_now()
);
comment on table messenger.default_alerts_made is
  'Default alerts that a setup has made. It makes none of these again, so that a deleted one stays deleted.';
comment on column messenger.default_alerts_made.name is
  'Name of the alert.';
comment on column messenger.default_alerts_made.made_at is
  'When it was made.';
alter table messenger.default_alerts_made enable row level security;

create function messenger.alert_rules()
returns table (rule text, unit text, filters text[], has_window boolean, threshold double precision, window_ms bigint)
language sql immutable
set search_path = ''
as $$
  values
    ('dead_letters', 'count', array['type', 'reason', 'queue'], true, 1::double precision, 3600000::bigint),
    ('oldest_ready', 'ms', array['queue'], false, 300000, null),
    ('no_tick', 'ms', array[]::text[], false, 90000, null),
    ('ticks_not_started', 'count', array[]::text[], false, 3, null),
    ('schedule_overdue', 'ms', array['schedule'], false, 300000, null),
    ('schedule_failing', 'count', array['schedule'], false, 3, null),
    ('retry_rate', 'share', array[]::text[], true, 0.5, 900000),
    ('long_step', 'ms', array['type', 'queue'], false, 3600000, null),
    ('queue_limited', null, array['queue'], true, null, 1800000),
    ('webhook_disabled', 'count', array[]::text[], false, 1, null)
$$;
comment on function messenger.alert_rules() is
  'The rules of alerts: the unit of their value (null: it is the window that counts), the filters that each takes, and the threshold and the window that an alert has by default.';

-- One alert a rule, for all queues, types and schedules.
create function messenger.make_default_alerts() returns text[]
language plpgsql
set search_path = ''
as $$
declare
  made text[];
begin
  with new as (
    insert into messenger.default_alerts_made (name)
    select replace(r.rule, '_', '-') from messenger.alert_rules() r
    on conflict do nothing returning name
  ),
  written as (
    insert into public.messenger_alerts (name, rule, threshold, window_ms)
    select n.name, r.rule, r.threshold, r.window_ms
    from new n join messenger.alert_rules() r on replace(r.rule, '_', '-') = n.name
    on conflict do nothing returning name
  )
  select array_agg(w.name order by w.name) into made from written w;
  return coalesce(made, '{}');
end
$$;
comment on function messenger.make_default_alerts() is
  'Part of messenger_setup: makes the default alerts that no setup has made yet, and returns their names. They are told on the default channel, once there is one.';

create function messenger.check_alert_threshold(p_alert public.messenger_alerts, p_unit text) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  given constant double precision := p_alert.threshold;
begin
  if p_unit is null then
    if given is not null then
      raise sqlstate 'PT400' using message = format('threshold: the rule %s has none, only a window', p_alert.rule);
    end if;
  elsif p_unit = 'count' and (given between 1 and 10000 and given = floor(given)) is not true then
    raise sqlstate 'PT400' using message = 'threshold: has to be a whole number from 1 to 10000';
  elsif p_unit = 'share' and (given > 0 and given <= 1) is not true then
    raise sqlstate 'PT400' using message = 'threshold: has to be a share, above 0 and up to 1';
  elsif p_unit = 'ms' and (given between 1000 and 2592000000) is not true then
    raise sqlstate 'PT400' using message = 'threshold: has to be ms, from 1000 to 2592000000 (30 days)';
  end if;
end
$$;
comment on function messenger.check_alert_threshold(public.messenger_alerts, text) is
  'Part of messenger.check_alert(): refuses a threshold that does not fit the unit of the rule.';

create function messenger.check_alert(p_alert public.messenger_alerts) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  reasons constant text[] := messenger.dead_reasons();
  rules record;
  filter text;
begin
  select * into rules from messenger.alert_rules() r where r.rule = p_alert.rule;
  if rules.rule is null then
    raise sqlstate 'PT400' using message = format(
      'rule: has to be one of %s', (select string_agg(r.rule, ', ') from messenger.alert_rules() r)
    );
  end if;
  foreach filter in array array['type', 'reason', 'queue', 'schedule'] loop
    if to_jsonb(p_alert) ->> filter is not null and filter <> all (rules.filters) then
      raise sqlstate 'PT400' using message = format('%s: the rule %s does not take it', filter, p_alert.rule);
    end if;
  end loop;
  if p_alert.reason <> all (reasons) then
    raise sqlstate 'PT400' using message = format('reason: has to be one of %s', array_to_string(reasons, ', '));
  end if;
  perform messenger.check_alert_threshold(p_alert, rules.unit);
  if not rules.has_window and p_alert.window_ms is not null then
    raise sqlstate 'PT400' using message = format('window_ms: the rule %s has no window', p_alert.rule);
  end if;
  if rules.has_window and (p_alert.window_ms between 60000 and 2592000000) is not true then
    raise sqlstate 'PT400' using message = 'window_ms: has to be from 60000 (1 minute) to 2592000000 (30 days)';
  end if;
  if (p_alert.cooldown_ms between 60000 and 2592000000) is not true then
    raise sqlstate 'PT400' using message = 'cooldown_ms: has to be from 60000 (1 minute) to 2592000000 (30 days)';
  end if;
end
$$;
comment on function messenger.check_alert(public.messenger_alerts) is
  'Refuses, PT400 with the field, an alert with a filter, threshold or window that its rule does not take.';

create function messenger.alert_with(p_alert public.messenger_alerts, p_settings jsonb)
returns public.messenger_alerts
language plpgsql stable
set search_path = ''
as $$
declare
  allowed constant text[] := array[
    'type', 'reason', 'queue', 'schedule', 'threshold', 'window_ms', 'channel', 'cooldown_ms', 'enabled'
  ];
  wanted public.messenger_alerts := p_alert;
  field text := 'settings';
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'settings: has to be an object';
  end if;
  -- One by one, so that an error can name the field.
  for field in select key from jsonb_object_keys(p_settings) as key loop
    if field <> all (allowed) then
      raise sqlstate 'PT400' using message = format(
        'settings: %s is none of %s', field, array_to_string(allowed, ', ')
      );
    end if;
    if field in ('cooldown_ms', 'enabled') and p_settings -> field = 'null' then
      raise sqlstate 'PT400' using message = format('%s: has to have a value', field);
    end if;
    wanted := jsonb_populate_record(wanted, jsonb_build_object(field, p_settings -> field));
  end loop;
  perform messenger.check_alert(wanted);
  if wanted.channel is not null and not exists (
    select from public.messenger_alert_channels c where c.name = wanted.channel
  ) then
    raise sqlstate 'PT400' using message = format('channel: there is no channel %s', wanted.channel);
  end if;
  return wanted;
exception
  when invalid_text_representation or numeric_value_out_of_range or datatype_mismatch then
    raise sqlstate 'PT400' using message = format('%s: %s', field, sqlerrm);
end
$$;
comment on function messenger.alert_with(public.messenger_alerts, jsonb) is
  'Part of messenger_create_alert and messenger_set_alert: the alert with these settings, checked.';

create function public.messenger_create_alert(name text, rule text, settings jsonb default '{}') returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  wanted public.messenger_alerts;
  fault_detail text;
begin
  if name !~ '^[A-Za-z0-9_.:-]{1,100}$' or name is null then
    raise sqlstate 'PT400' using message = format(
      'name: has to be 1 to 100 letters, digits or _ . : - (%L was given)', name
    );
  end if;
  if (select count(*) from (select from public.messenger_alerts limit 200) as a) = 200 then
    raise sqlstate 'PT409' using message = 'name: there are 200 alerts already; delete one first';
  end if;
  wanted.name := name;
  wanted.rule := rule;
  wanted.cooldown_ms := 3600000;
  wanted.enabled := true;
  select r.threshold, r.window_ms into wanted.threshold, wanted.window_ms
  from messenger.alert_rules() r where r.rule = messenger_create_alert.rule;
  wanted := messenger.alert_with(wanted, settings);
  insert into public.messenger_alerts as a (
    name, rule, type, reason, queue, schedule, threshold, window_ms, channel, cooldown_ms, enabled
  )
  values (
    wanted.name, wanted.rule, wanted.type, wanted.reason, wanted.queue, wanted.schedule, wanted.threshold,
    wanted.window_ms, wanted.channel, wanted.cooldown_ms, wanted.enabled
  )
  on conflict do nothing
  returning * into wanted;
  if not found then
    raise sqlstate 'PT409' using message = format('name: there is an alert %s already', name);
  end if;
  perform messenger.check_deferred('messenger_create_alert');
  return jsonb_build_object('alert', to_jsonb(wanted) - 'memory', 'changed', true);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_create_alert(text, text, jsonb) is
  'Makes an alert by a rule, with settings by the names of its columns: select messenger_create_alert(''mail'', ''oldest_ready'', ''{"queue":"mail","threshold":600000}''). Returns {"alert", "changed"}.';

create function public.messenger_set_alert(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_alerts;
  wanted public.messenger_alerts;
  fault_detail text;
begin
  select * into before from public.messenger_alerts a where a.name = messenger_set_alert.name for update;
  if before.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no alert %s', name);
  end if;
  wanted := messenger.alert_with(before, settings);
  if wanted is distinct from before then
    update public.messenger_alerts a
    set (type, reason, queue, schedule, threshold, window_ms, channel, cooldown_ms, enabled, updated_at) = (
      wanted.type, wanted.reason, wanted.queue, wanted.schedule, wanted.threshold, wanted.window_ms,
      wanted.channel, wanted.cooldown_ms, wanted.enabled, public.messenger_now()
    )
    where a.name = messenger_set_alert.name;
  end if;
  perform messenger.check_deferred('messenger_set_alert');
  return jsonb_build_object('alert', to_jsonb(wanted) - 'memory', 'changed', wanted is distinct from before);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_set_alert(text, jsonb) is
  'Changes those settings of an alert that are given, by the names of its columns. The next check judges by them. Returns {"alert", "changed"}.';

create function public.messenger_delete_alert(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  delete from public.messenger_alerts a where a.name = messenger_delete_alert.name;
  if not found then
    raise sqlstate 'PT404' using message = format('name: there is no alert %s', name);
  end if;
  perform messenger.check_deferred('messenger_delete_alert');
  return '{"changed": true}'::jsonb;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_delete_alert(text) is
  'Deletes an alert. A setup does not make a default one again. Returns {"changed"}.';

create function public.messenger_list_alerts(name text default null) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'alerts', (
      select coalesce(jsonb_agg(to_jsonb(a) - 'memory' order by a.name), '[]')
      from (
        select * from public.messenger_alerts listed
        where messenger_list_alerts.name is null or listed.name = messenger_list_alerts.name
        order by listed.name limit 1000
      ) as a
    ),
    'now', public.messenger_now()
  );
end
$$;
comment on function public.messenger_list_alerts(text) is
  'Alerts by name with their state, 1,000 at most. Returns {"alerts", "now"}.';

-- A channel is at fault until a delivery arrives on it again. Deliveries to a channel that is gone do not count.
create function messenger.alerts_at_fault() returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'channels', (
      select coalesce(jsonb_agg(c.name order by c.name), '[]')
      from public.messenger_alert_channels c
      where (
        select d.status from public.messenger_alert_deliveries d
        where d.channel = c.name and d.status in ('delivered', 'failed')
        order by d.id desc limit 1
      ) = 'failed' or exists (
        select from public.messenger_alert_deliveries d
        where d.channel = c.name and d.status in ('pending', 'sent')
          and d.created_at < public.messenger_now() - interval '10 minutes'
      )
    ),
    'alerts', (
      select coalesce(jsonb_agg(a.name order by a.name), '[]')
      from public.messenger_alerts a where a.enabled and a.error is not null
    )
  )
$$;
comment on function messenger.alerts_at_fault() is
  'Channels on which the last delivery failed, or one waits for more than 10 minutes, and alerts that cannot be checked: {"channels", "alerts"}.';
