-- Channels of alerts: where people are told. The URL of a channel and its signing secret are secrets. They are in
-- Vault, and no function returns them.

create table public.messenger_alert_channels (
  name text primary key check (name ~ '^[A-Za-z0-9_.:-]{1,100}$'),
  kind text not null check (kind in ('slack', 'discord', 'webhook', 'message')),
  host text,
  message_type text check (length(message_type) between 1 and 200),
  signed boolean not null default false,
  is_default boolean not null default false,
  created_at timestamptz not null default public.messenger_now(),
  updated_at timestamptz not null default public.messenger_now(),
  check ((kind = 'message') = (message_type is not null)),
  check ((kind = 'message') = (host is null))
);

comment on table public.messenger_alert_channels is
  'Channels on which alerts are told. messenger_set_alert_channel() writes them; their URLs and signing secrets are in Vault.';
comment on column public.messenger_alert_channels.name is
  'Name of the channel: letters, digits and _ . : - only.';
comment on column public.messenger_alert_channels.kind is
  'slack, discord: an incoming webhook of Slack or Discord. webhook: JSON, posted as Standard Webhooks says, and signed if the channel has a secret. message: a message of message_type is dispatched.';
comment on column public.messenger_alert_channels.host is
  'Host of the URL, by which operators recognise the channel; null for a channel of kind message.';
comment on column public.messenger_alert_channels.message_type is
  'Type of the messages that a channel of kind message dispatches.';
comment on column public.messenger_alert_channels.signed is
  'Whether its calls are signed: it is of kind webhook, and Vault has a signing secret.';
comment on column public.messenger_alert_channels.is_default is
  'Whether alerts that name no channel are told here. At most one channel is the default.';
comment on column public.messenger_alert_channels.created_at is
  'When the channel was made.';
comment on column public.messenger_alert_channels.updated_at is
  'When it was last set.';

create unique index messenger_alert_channels_default_idx
  on public.messenger_alert_channels (is_default) where is_default;
comment on index public.messenger_alert_channels_default_idx is
  'The default channel, of which there is one at most.';

alter table public.messenger_alert_channels enable row level security;

create function messenger.alert_secret_name(p_channel text, p_what text) returns text
language sql immutable
set search_path = ''
as $$ select format('symphony_alert_%s_%s', p_channel, p_what) $$;
comment on function messenger.alert_secret_name(text, text) is
  'Name in Vault of a channel''s URL (p_what is url) or of its signing secret (secret).';

-- Runs with its owner's rights: the service role may not, in every project, write to Vault. It writes and deletes
-- secrets of these names only, and returns none.
create function messenger.keep_alert_secret(p_channel text, p_what text, p_value text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  secret_name constant text := messenger.alert_secret_name(p_channel, p_what);
begin
  if (p_channel ~ '^[A-Za-z0-9_.:-]{1,100}$' and p_what in ('url', 'secret')) is not true then
    raise sqlstate 'PT400' using message = 'channel: is no name of a channel';
  end if;
  if p_value is null then
    delete from vault.secrets s where s.name = secret_name;
  else
    perform messenger.set_up_secret(secret_name, p_value, 'An alert channel of Symphony Messenger.');
  end if;
end
$$;
comment on function messenger.keep_alert_secret(text, text, text) is
  'Writes the URL of an alert channel (p_what is url) or its signing secret (secret) into Vault, or deletes it there if the value is null.';

create function messenger.alert_channel_changed() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    raise sqlstate 'PT409' using message = format('name: the channel %s keeps its name', old.name);
  end if;
  perform messenger.keep_alert_secret(old.name, 'url', null), messenger.keep_alert_secret(old.name, 'secret', null);
  return null;
end
$$;
comment on function messenger.alert_channel_changed() is
  'Trigger: deletes the secrets of a channel that is deleted, and refuses another name, PT409: the secrets in Vault are named after the channel.';

create trigger messenger_alert_channels_deleted
  after delete on public.messenger_alert_channels
  for each row execute function messenger.alert_channel_changed();

create trigger messenger_alert_channels_renamed
  before update of name on public.messenger_alert_channels
  for each row when (old.name <> new.name)
  execute function messenger.alert_channel_changed();

-- The URL is a secret, so that the errors do not repeat it.
create function messenger.alert_url_host(p_url text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  host constant text := lower((regexp_match(
    p_url,
    '^https?://(?:[^/?#@]*@)?(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?(?:[/?#]|$)', 'i'
  ))[1]);
begin
  if p_url is null then
    return null;
  end if;
  if length(p_url) > 2000 then
    raise sqlstate 'PT400' using message = 'url: has to have at most 2000 characters';
  end if;
  if p_url !~ '^[!#-;=?-Z\[\]_a-~]+$' or host is null then
    raise sqlstate 'PT400' using message = 'url: has to be a URL that begins with https://, without spaces';
  end if;
  if p_url !~* '^https:' and host not in ('localhost', '127.0.0.1', '[::1]', 'host.docker.internal') then
    raise sqlstate 'PT400' using message = 'url: has to begin with https://; http:// is for localhost only';
  end if;
  return host;
end
$$;
comment on function messenger.alert_url_host(text) is
  'Host of a channel''s URL; null for null. Raises PT400 for a text that is no URL of http or https, and for http at other hosts than localhost.';

create function messenger.check_alert_secret(p_secret text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_secret !~ '^whsec_[A-Za-z0-9+/]+={0,2}$'
    or octet_length(decode(substr(p_secret, 7), 'base64')) not between 24 and 64
  then
    raise sqlstate 'PT400' using message = 'secret: has to be whsec_ and the base64 of 24 to 64 bytes';
  end if;
exception when invalid_parameter_value then
  raise sqlstate 'PT400' using message = 'secret: has to be whsec_ and the base64 of 24 to 64 bytes';
end
$$;
comment on function messenger.check_alert_secret(text) is
  'Raises PT400 for a signing secret that Standard Webhooks does not allow: whsec_ and the base64 of 24 to 64 bytes. Null is allowed.';

create function messenger.check_alert_channel(p_name text, p_settings jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  kinds constant text[] := array['slack', 'discord', 'webhook', 'message'];
  types constant jsonb := jsonb_build_object(
    'kind', 'string', 'url', 'string', 'secret', 'string', 'message_type', 'string', 'is_default', 'boolean'
  );
  field record;
begin
  if p_name !~ '^[A-Za-z0-9_.:-]{1,100}$' or p_name is null then
    raise sqlstate 'PT400' using message = format(
      'name: has to be 1 to 100 letters, digits or _ . : - (%L was given)', p_name
    );
  end if;
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'settings: has to be an object';
  end if;
  for field in select s.key, jsonb_typeof(s.value) as type from jsonb_each(p_settings) as s loop
    if not types ? field.key then
      raise sqlstate 'PT400' using message = format(
        'settings: %s is none of %s', field.key, (select string_agg(k, ', ') from jsonb_object_keys(types) as k)
      );
    end if;
    if field.type not in ('null', types ->> field.key) then
      raise sqlstate 'PT400' using message = format('%s: has to be a %s', field.key, types ->> field.key);
    end if;
  end loop;
  if (p_settings ->> 'kind' = any (kinds)) is not true then
    raise sqlstate 'PT400' using message = format('kind: has to be one of %s', array_to_string(kinds, ', '));
  end if;
end
$$;
comment on function messenger.check_alert_channel(text, jsonb) is
  'Part of messenger_set_alert_channel: refuses a wrong name, unknown settings and values of another type.';

-- Which settings a kind takes. Returns the row as it is to be.
create function messenger.alert_channel_of(
  p_name text, p_settings jsonb, p_before public.messenger_alert_channels
) returns public.messenger_alert_channels
language plpgsql stable
set search_path = ''
as $$
declare
  wanted public.messenger_alert_channels := p_before;
  is_same_kind constant boolean := p_before.kind is not distinct from p_settings ->> 'kind';
begin
  wanted.name := p_name;
  wanted.kind := p_settings ->> 'kind';
  wanted.message_type := p_settings ->> 'message_type';
  if (wanted.kind = 'message') <> (coalesce(wanted.message_type, '') <> '') then
    raise sqlstate 'PT400' using message = case wanted.kind
      when 'message' then 'message_type: is required for a channel of kind message'
      else 'message_type: is for a channel of kind message only' end;
  end if;
  if length(wanted.message_type) > 200 then
    raise sqlstate 'PT400' using message = 'message_type: has to have at most 200 characters';
  end if;
  if p_settings ->> 'url' is not null and wanted.kind = 'message' then
    raise sqlstate 'PT400' using message = 'url: is not for a channel of kind message';
  end if;
  if p_settings ->> 'url' is null and wanted.kind <> 'message' and not (is_same_kind and p_before.host is not null) then
    raise sqlstate 'PT400' using message = format('url: is required for a channel of kind %s', wanted.kind);
  end if;
  if p_settings ->> 'secret' is not null then
    if wanted.kind <> 'webhook' then
      raise sqlstate 'PT400' using message = 'secret: is for a channel of kind webhook only';
    end if;
    perform messenger.check_alert_secret(p_settings ->> 'secret');
  end if;
  wanted.host := case
    when wanted.kind = 'message' then null
    else coalesce(messenger.alert_url_host(p_settings ->> 'url'), p_before.host) end;
  wanted.signed := case
    when p_settings ? 'secret' then p_settings ->> 'secret' is not null
    else coalesce(is_same_kind and p_before.signed, false) end;
  wanted.is_default := coalesce(
    (p_settings ->> 'is_default')::boolean, p_before.is_default,
    not exists (select from public.messenger_alert_channels c where c.is_default)
  );
  return wanted;
end
$$;
comment on function messenger.alert_channel_of(text, jsonb, public.messenger_alert_channels) is
  'Part of messenger_set_alert_channel: the channel''s new row, from its settings and its former row; writes nothing. Raises PT400 for a field that does not belong to the kind.';

-- Settings: kind, url, secret (of a webhook, whsec_...), message_type, is_default. A URL or a secret that is left out
-- stays as it is; a secret that is null is deleted.
create function public.messenger_set_alert_channel(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_alert_channels;
  wanted public.messenger_alert_channels;
  fault_detail text;
begin
  perform messenger.check_alert_channel(name, settings);
  select * into before from public.messenger_alert_channels c
  where c.name = messenger_set_alert_channel.name for update;
  if before.name is null and (select count(*) from (select from public.messenger_alert_channels limit 100) as c) = 100 then
    raise sqlstate 'PT409' using message = 'name: there are 100 channels already; delete one first';
  end if;
  wanted := messenger.alert_channel_of(name, settings, before);
  if wanted.is_default then
    update public.messenger_alert_channels c set is_default = false
    where c.is_default and c.name <> wanted.name;
  end if;
  insert into public.messenger_alert_channels as c (name, kind, host, message_type, signed, is_default)
  values (wanted.name, wanted.kind, wanted.host, wanted.message_type, wanted.signed, wanted.is_default)
  on conflict on constraint messenger_alert_channels_pkey do update
  set kind = excluded.kind, host = excluded.host, message_type = excluded.message_type, signed = excluded.signed,
    is_default = excluded.is_default, updated_at = public.messenger_now()
  returning * into wanted;
  if settings ->> 'url' is not null or wanted.host is null then
    perform messenger.keep_alert_secret(name, 'url', settings ->> 'url');
  end if;
  if settings ? 'secret' or not wanted.signed then
    perform messenger.keep_alert_secret(name, 'secret', settings ->> 'secret');
  end if;
  perform messenger.check_deferred('messenger_set_alert_channel');
  return jsonb_build_object('channel', to_jsonb(wanted), 'changed', true);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_set_alert_channel(text, jsonb) is
  'Makes a channel of alerts, or replaces its settings: {"kind", "url", "secret", "message_type", "is_default"}. kind is required. The URL and the signing secret go into Vault; if they are left out, and the kind is the same, those in Vault stay. A channel becomes the default one if there is none. Returns {"channel", "changed"}, without secrets.';

create function public.messenger_delete_alert_channel(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  users constant text := (
    select string_agg(a.name, ', ' order by a.name) from public.messenger_alerts a
    where a.channel = messenger_delete_alert_channel.name
  );
  fault_detail text;
begin
  if users is not null then
    raise sqlstate 'PT409' using message = format('name: alerts are told on the channel %s (%s); change them first', name, users);
  end if;
  delete from public.messenger_alert_channels c where c.name = messenger_delete_alert_channel.name;
  if not found then
    raise sqlstate 'PT404' using message = format('name: there is no channel %s', name);
  end if;
  perform messenger.check_deferred('messenger_delete_alert_channel');
  return '{"changed": true}'::jsonb;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_delete_alert_channel(text) is
  'Deletes a channel of alerts with its secrets. Returns {"changed"}.';

create function public.messenger_list_alert_channels(name text default null) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object('channels', (
    select coalesce(jsonb_agg(to_jsonb(c) || jsonb_build_object('last_delivery', (
      select jsonb_build_object(
        'id', d.id::text, 'event', d.event, 'status', d.status, 'status_code', d.status_code, 'error', d.error,
        'created_at', d.created_at
      )
      from public.messenger_alert_deliveries d where d.channel = c.name
      order by d.id desc limit 1
    )) order by c.name), '[]')
    from public.messenger_alert_channels c
    where messenger_list_alert_channels.name is null or c.name = messenger_list_alert_channels.name
  ));
end
$$;
comment on function public.messenger_list_alert_channels(text) is
  'Channels of alerts by name, without their secrets, each with its last delivery. Returns {"channels"}.';
