-- Operators' functions for webhook endpoints and their deliveries.

-- Runs with its owner's rights: the service role may not write to Vault in every project. The value is made here, and
-- the name begins with webhook_.
create function messenger.make_webhook_secret(p_endpoint text, out name text, out secret text)
language plpgsql
security definer
set search_path = ''
as $$
begin
  name := 'webhook_' || left(p_endpoint, 100) || '_' || left(replace(gen_random_uuid()::text, '-', ''), 8);
  secret := 'whsec_' || encode(
    decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'), 'base64'
  );
  perform vault.create_secret(secret, name, 'Symphony Messenger: signs webhooks');
end
$$;
comment on function messenger.make_webhook_secret(text) is
  'Makes a secret in Vault for an endpoint, of 244 random bits. Returns its name and its value.';

-- Runs with its owner's rights, as messenger.make_webhook_secret does; it deletes only secrets that that made.
create function messenger.drop_webhook_secret(p_name text) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from vault.secrets s
  where s.name = p_name and s.name ~ '^webhook_' and s.description = 'Symphony Messenger: signs webhooks'
    and not exists (
      select from public.messenger_webhook_endpoints e where p_name in (e.secret, e.previous_secret)
    );
end
$$;
comment on function messenger.drop_webhook_secret(text) is
  'Deletes a secret that messenger.make_webhook_secret() made, once no endpoint names it.';

create function messenger.webhook_endpoint(p_endpoint public.messenger_webhook_endpoints) returns jsonb
language sql immutable
set search_path = ''
as $$
  select to_jsonb(p_endpoint) - 'rate_used'
$$;
comment on function messenger.webhook_endpoint(public.messenger_webhook_endpoints) is
  'An endpoint as operators see it: all columns but rate_used.';

create function messenger.webhook_settings(
  p_before public.messenger_webhook_endpoints, p_settings jsonb
) returns public.messenger_webhook_endpoints
language plpgsql
set search_path = ''
as $$
declare
  allowed constant text[] := array[
    'url', 'events', 'secret', 'rate_limit', 'rate_period_ms', 'disable_after_ms', 'disabled'
  ];
  wanted public.messenger_webhook_endpoints := p_before;
  field text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'settings: has to be an object';
  end if;
  foreach field in array array(select jsonb_object_keys(p_settings)) loop
    if field <> all (allowed) then
      raise sqlstate 'PT400' using message = format(
        'settings: %s is none of %s', field, array_to_string(allowed, ', ')
      );
    end if;
    if field = 'events' and p_settings @? 'strict $.events[*] ? (@.type() != "string")' then
      raise sqlstate 'PT400' using message = format(
        'events: has to be an array of names (was %s)', left((p_settings -> field)::text, 60)
      );
    end if;
    wanted := jsonb_populate_record(wanted, jsonb_build_object(field, p_settings -> field));
  end loop;
  if p_settings -> 'disabled' = 'true' and p_before.disabled_at is null then
    wanted.disabled_by := 'operator';
    wanted.disabled_at := public.messenger_now();
    wanted.disabled_reason := 'an operator disabled it';
  elsif p_settings -> 'disabled' = 'false' then
    wanted.disabled_by := null;
    wanted.disabled_at := null;
    wanted.disabled_reason := null;
    wanted.failing_since := case when p_before.disabled_at is null then p_before.failing_since end;
  elsif coalesce(jsonb_typeof(p_settings -> 'disabled'), 'boolean') <> 'boolean' then
    raise sqlstate 'PT400' using message = 'disabled: has to be true or false';
  end if;
  return wanted;
exception
  when invalid_text_representation or numeric_value_out_of_range or datatype_mismatch then
    raise sqlstate 'PT400' using message = format('%s: %s', field, sqlerrm);
end
$$;
comment on function messenger.webhook_settings(public.messenger_webhook_endpoints, jsonb) is
  'Part of messenger_create_webhook_endpoint and messenger_set_webhook_endpoint: an endpoint''s row with the given settings; writes nothing. Refuses unknown settings.';

create function messenger.save_webhook_endpoint(
  p_wanted public.messenger_webhook_endpoints, p_is_new boolean default false
) returns void
language plpgsql
set search_path = ''
as $$
declare
  field text;
begin
  if p_is_new then
    -- Waits for another session that just makes one of this name.
    insert into public.messenger_webhook_endpoints select (p_wanted).* on conflict do nothing;
    if not found then
      raise sqlstate 'PT409' using message = format('name: there is an endpoint %s already', p_wanted.name);
    end if;
    return;
  end if;
  update public.messenger_webhook_endpoints e
  set (url, events, secret, previous_secret, previous_until) = (
      p_wanted.url, p_wanted.events, p_wanted.secret, p_wanted.previous_secret, p_wanted.previous_until
    ), (rate_limit, rate_period_ms, disable_after_ms) = (
      p_wanted.rate_limit, p_wanted.rate_period_ms, p_wanted.disable_after_ms
    ), (disabled_by, disabled_at, disabled_reason, failing_since) = (
      p_wanted.disabled_by, p_wanted.disabled_at, p_wanted.disabled_reason, p_wanted.failing_since
    )
  where e.name = p_wanted.name;
exception
  when not_null_violation then
    get stacked diagnostics field = column_name;
    raise sqlstate 'PT400' using message = format('%s: has to have a value', field);
  when check_violation then
    get stacked diagnostics field = constraint_name;
    raise sqlstate 'PT400' using message =
      messenger.not_allowed('messenger_webhook_endpoints', field, to_jsonb(p_wanted));
end
$$;
comment on function messenger.save_webhook_endpoint(public.messenger_webhook_endpoints, boolean) is
  'Part of the functions that change an endpoint: updates its row, or inserts it if p_is_new; PT409 if there is one of its name then. PT400 names the column whose value is not allowed.';

create function public.messenger_create_webhook_endpoint(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  wanted public.messenger_webhook_endpoints;
  made text;
  fault_detail text;
begin
  if name is null or name !~ '^[A-Za-z0-9_.:-]{1,100}$' then
    raise sqlstate 'PT400' using message = format(
      'name: has to be 1 to 100 letters, digits or _ . : - (%L was given)', name
    );
  end if;
  wanted.name := name;
  wanted.events := '{*}';
  wanted.rate_period_ms := 1000;
  wanted.disable_after_ms := 432000000;
  wanted.created_at := public.messenger_now();
  wanted := messenger.webhook_settings(wanted, settings);
  if wanted.secret is null then
    select m.name, m.secret into wanted.secret, made from messenger.make_webhook_secret(name) as m;
  end if;
  perform messenger.save_webhook_endpoint(wanted, true);
  perform messenger.check_deferred('messenger_create_webhook_endpoint');
  return jsonb_build_object('endpoint', messenger.webhook_endpoint(wanted), 'changed', true)
    || case when made is null then '{}' else jsonb_build_object('secret', made) end;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_create_webhook_endpoint(text, jsonb) is
  'Makes a webhook endpoint. settings are those of messenger_set_webhook_endpoint; url is required. Without the name of a secret it makes a secret in Vault. Returns {"endpoint", "changed", "secret": the value of the secret that it made}.';

create function public.messenger_set_webhook_endpoint(name text, settings jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_webhook_endpoints;
  wanted public.messenger_webhook_endpoints;
  fault_detail text;
begin
  select * into before from public.messenger_webhook_endpoints e
  where e.name = messenger_set_webhook_endpoint.name for update;
  if before.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no endpoint %s', name);
  end if;
  wanted := messenger.webhook_settings(before, settings);
  if wanted is distinct from before then
    perform messenger.save_webhook_endpoint(wanted);
  end if;
  perform messenger.check_deferred('messenger_set_webhook_endpoint');
  return jsonb_build_object(
    'endpoint', messenger.webhook_endpoint(wanted), 'changed', wanted is distinct from before
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_set_webhook_endpoint(text, jsonb) is
  'Changes those settings of an endpoint that are given: url, events, secret, rate_limit, rate_period_ms, disable_after_ms (values as in the columns), and disabled (true or false). Returns {"endpoint", "changed"}.';

create function public.messenger_delete_webhook_endpoint(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  gone public.messenger_webhook_endpoints;
  fault_detail text;
begin
  delete from public.messenger_webhook_endpoints e
  where e.name = messenger_delete_webhook_endpoint.name returning * into gone;
  if gone.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no endpoint %s', name);
  end if;
  perform messenger.drop_webhook_secret(gone.secret), messenger.drop_webhook_secret(gone.previous_secret);
  perform messenger.check_deferred('messenger_delete_webhook_endpoint');
  return '{"changed": true}'::jsonb;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_delete_webhook_endpoint(text) is
  'Deletes an endpoint and the secrets that were made for it. Messages that wait to be sent to it become dead letters at their next attempt. Returns {"changed"}.';

create function public.messenger_rotate_webhook_secret(name text, overlap interval default interval '1 day')
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  before public.messenger_webhook_endpoints;
  wanted public.messenger_webhook_endpoints;
  made record;
  fault_detail text;
begin
  if overlap is null or overlap < interval '0' or overlap > interval '366 days' then
    raise sqlstate 'PT400' using message = 'overlap: has to be zero to 366 days';
  end if;
  select * into before from public.messenger_webhook_endpoints e
  where e.name = messenger_rotate_webhook_secret.name for update;
  if before.name is null then
    raise sqlstate 'PT404' using message = format('name: there is no endpoint %s', name);
  end if;
  made := messenger.make_webhook_secret(name);
  wanted := before;
  wanted.secret := made.name;
  wanted.previous_secret := before.secret;
  wanted.previous_until := public.messenger_now() + overlap;
  perform messenger.save_webhook_endpoint(wanted);
  perform messenger.drop_webhook_secret(before.previous_secret);
  perform messenger.check_deferred('messenger_rotate_webhook_secret');
  return jsonb_build_object(
    'endpoint', messenger.webhook_endpoint(wanted), 'changed', true, 'secret', made.secret
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_rotate_webhook_secret(text, interval) is
  'Makes a new secret for an endpoint; calls are also signed with the former one for the overlap. Returns {"endpoint", "changed", "secret": the value of the new secret}.';

create function public.messenger_test_webhook_endpoint(name text) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  if name is null or name = '*' then
    raise sqlstate 'PT400' using message = 'name: has to be the name of an endpoint';
  end if;
  if not exists (select from public.messenger_webhook_endpoints e where e.name = messenger_test_webhook_endpoint.name) then
    raise sqlstate 'PT404' using message = format('name: there is no endpoint %s', name);
  end if;
  if public.messenger_publish('webhook.test', jsonb_build_object('endpoint', name), name) = 0 then
    raise sqlstate 'PT409' using message = format('name: the endpoint %s is disabled', name);
  end if;
  perform messenger.check_deferred('messenger_test_webhook_endpoint');
  return '{"changed": true}'::jsonb;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_test_webhook_endpoint(text) is
  'Publishes the event webhook.test to one endpoint. Returns {"changed"}.';
