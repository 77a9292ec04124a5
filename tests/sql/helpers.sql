-- The helpers that the tests of SQL share, in a schema of their own. The runner loads them once. Each test
-- file runs in a transaction that is rolled back, so that its changes reach no other file.

create schema test;
grant usage on schema test to public;

-- Sets the clock of the bus, to the end of the transaction. Only the first call replaces the function: each
-- replacement has all statements planned again.
create function test.set_clock(moment timestamptz) returns void
language plpgsql
as $$
declare
  is_set boolean := coalesce(current_setting('test.clock', true), '') <> '';
begin
  perform set_config('test.clock', moment::text, true);
  if is_set then
    return;
  end if;
  create or replace function public.messenger_now() returns timestamptz
  language sql stable parallel safe
  set search_path = ''
  as 'select current_setting(''test.clock'')::timestamptz';
end
$$;

-- A step of an operation ends after three seconds: on a busy machine before it has done 10,000.
create function test.let_steps_take_long() returns void
language plpgsql
as $$
declare
  definition constant text := pg_get_functiondef('messenger.take_step'::regproc);
begin
  if definition not like '%interval ''3 seconds''%' then
    raise 'messenger.take_step has another time limit';
  end if;
  execute replace(definition, 'interval ''3 seconds''', 'interval ''1 hour''');
end
$$;

-- The lease token of a worker, by number.
create function test.token(worker integer) returns uuid
language sql immutable
as $$ select lpad(worker::text, 32, '0')::uuid $$;

-- Dispatches messages of these types to the default queue, due now, in this order.
create function test.dispatch(variadic types text[]) returns void
language sql
as $$
  select public.messenger_enqueue((
    select jsonb_agg(jsonb_build_object('type', type) order by position)
    from unnest(types) with ordinality as t (type, position)
  ))
$$;

-- Adds numbered messages, for tests that need many.
create function test.dispatch_many(
  number integer, queue text default 'default', type text default 'Bulk'
) returns void
language sql
as $$
  insert into public.messenger_messages (type, queue, available_at)
  select dispatch_many.type, dispatch_many.queue, public.messenger_now() - interval '1 hour'
  from generate_series(1, number)
$$;

-- Adds a dead letter and returns its id.
create function test.dead_letter(
  type text,
  queue text default 'default',
  reason text default 'exhausted',
  error text default 'no route',
  failed_at timestamptz default public.messenger_now(),
  stamps jsonb default null
) returns bigint
language sql
as $$
  insert into public.messenger_failed_messages as f (
    id, type, payload, queue, priority, reason, error, errors, retry_count, attempts, stamps,
    redriven, created_at, failed_at
  )
  values (
    nextval('public.messenger_messages_id_seq'), type, '{"to":"a@b.c"}', queue, 7, reason, error,
    jsonb_build_array(jsonb_build_object('message', error)), 3, 4, stamps,
    coalesce((stamps ->> 'redriven')::integer, 0), failed_at - interval '1 hour', failed_at
  )
  returning f.id
$$;

-- The id of the one message or dead letter of a type.
create function test.id_of(type text) returns bigint
language sql
as $$
  select m.id from public.messenger_messages m where m.type = id_of.type
  union all
  select f.id from public.messenger_failed_messages f where f.type = id_of.type
$$;

-- The types of envelopes or other objects, in their order.
create function test.types(objects jsonb) returns text[]
language sql immutable
as $$ select array(select o ->> 'type' from jsonb_array_elements(objects) as o) $$;

-- The ids of messages of these types as JSON strings, as a worker names them.
create function test.ids(variadic types text[]) returns jsonb
language sql
as $$
  select jsonb_agg(test.id_of(type)::text order by position)
  from unnest(types) with ordinality as t (type, position)
$$;

-- The types of messages that a claim has locked, and where messages of a type lie for a claim to lock.
create function test.types_at(places tid[]) returns text[]
language sql
as $$
  select coalesce(array_agg(m.type order by p.position), '{}')
  from unnest(places) with ordinality as p (place, position)
  join public.messenger_messages m on m.ctid = p.place
$$;
create function test.places_of(variadic types text[]) returns tid[]
language sql
as $$
  select array_agg(m.ctid order by t.position)
  from unnest(types) with ordinality as t (type, position)
  join public.messenger_messages m on m.type = t.type
$$;

-- Adds a tick and returns its id. `state`: asked, lost (asked for, and never arrived), awake, killed
-- (awake, and silent since), resting or ended. Its times are the wall's.
create function test.tick(state text) returns bigint
language sql
as $$
  insert into public.messenger_ticks (asked_at, started_at, heartbeat_at, rested_at, ended_at)
  select asked, case when state not in ('asked', 'lost') then asked end,
    case state
      when 'awake' then asked + interval '58 seconds'
      when 'killed' then asked + interval '40 seconds'
      when 'resting' then asked + interval '59 seconds'
      when 'ended' then asked + interval '59 seconds'
    end,
    case when state in ('resting', 'ended') then asked + interval '59 seconds' end,
    case when state = 'ended' then asked + interval '59 seconds' end
  from (
    select clock_timestamp() - case state
      when 'asked' then interval '1 second' when 'lost' then interval '6 seconds'
      else interval '1 minute'
    end as asked
  ) as a
  returning id
$$;

-- How many rows of a table, and entries of its indexes, this transaction's scans have read.
create function test.rows_read(of regclass default 'public.messenger_messages') returns bigint
language sql
as $$
  select pg_stat_get_xact_tuples_returned(of) + sum(pg_stat_get_xact_tuples_returned(indexrelid))
  from pg_index where indrelid = of
$$;

-- How many of them a statement reads.
create function test.rows_read_by(
  statement text, of regclass default 'public.messenger_messages'
) returns bigint
language plpgsql
as $$
declare
  before constant bigint := test.rows_read(of);
begin
  execute statement;
  return test.rows_read(of) - before;
end
$$;

-- How many rows of a table's large values a statement reads: those that Postgres keeps outside of the rows.
create function test.large_values_read_by(statement text, of regclass) returns bigint
language sql
as $$
  select test.rows_read_by(statement, (select c.reltoastrelid::regclass from pg_class c where c.oid = of))
$$;

-- The project's objects in the catalog, so that a test of all of them covers objects that are added later.
create view test.relations as
  select c.oid::regclass as relation, c.relkind as kind, c.*
  from pg_class c
  where c.relnamespace = to_regnamespace('messenger')
    or c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\_%';

create view test.functions as
  select p.oid::regprocedure as function, p.*
  from pg_proc p
  where p.pronamespace = to_regnamespace('messenger')
    or p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\_%';

-- One rate limit, as a dispatch of `count` messages of a type asks for it.
create function test.limit_of(
  count integer, max integer, per interval, caller text default 'user:ann', type text default 'A'
) returns jsonb
language sql immutable
as $$
  select jsonb_build_array(jsonb_build_object(
    'type', type, 'caller', caller, 'count', count, 'max', max,
    'per_ms', extract(epoch from per) * 1000
  ))
$$;

-- Envelopes as objects.
create function test.envelopes(rows jsonb) returns jsonb
language sql immutable
as $$
  select coalesce(jsonb_agg(
    jsonb_build_object(
      'id', r -> 0, 'type', r -> 1, 'payload', r -> 2, 'queue', r -> 3, 'priority', r -> 4,
      'attempts', r -> 5, 'available_at', to_timestamp((r ->> 6)::double precision / 1000),
      'created_at', to_timestamp((r ->> 7)::double precision / 1000), 'group_key', r -> 8
    ) || case
      when r -> 9 = 'null' then
        '{"expires_at": null, "expired": false, "retry_count": 0, "stamps": null, "quarantined": false}'
      else jsonb_build_object(
        'expires_at', r -> 9 -> 0, 'expired', r -> 9 -> 1, 'retry_count', r -> 9 -> 2,
        'stamps', r -> 9 -> 3, 'quarantined', r -> 9 -> 4
      )
    end
    order by position
  ), '[]')
  from jsonb_array_elements(rows) with ordinality as e (r, position)
$$;

-- The answer of a claim, its envelopes as objects.
create function test.readable(answer json) returns jsonb
language sql immutable
as $$
  select answer::jsonb || jsonb_build_object(
    'messages', test.envelopes(answer::jsonb -> 'messages'),
    'crashed', test.envelopes(answer::jsonb -> 'crashed')
  )
$$;

-- A claim, to be read by tests.
create function test.claim(
  token uuid, max_messages integer default 100, lease_ms integer default 60000,
  queues text[] default null, last_keys jsonb default null, run_alone boolean default false,
  sweep boolean default true, repeated boolean default false, slots integer default null,
  start_within_ms integer default 250, max_bytes bigint default 8388608
) returns jsonb
language sql
as $$
  select test.readable(public.messenger_claim(
    token, max_messages, lease_ms, queues, last_keys, run_alone, sweep, repeated, slots,
    start_within_ms, max_bytes
  ))
$$;

-- A settle call with a claim, to be read by tests.
create function test.settle_and_claim(
  settlements jsonb, token uuid, max_messages integer default 100,
  lease_ms integer default 60000, queues text[] default null, last_keys jsonb default null,
  run_alone boolean default false, sweep boolean default true, repeated boolean default false,
  slots integer default null, start_within_ms integer default 250,
  max_bytes bigint default 8388608
) returns jsonb
language sql
as $$
  select jsonb_build_object('stale', answer -> 'stale') || test.readable(answer -> 'claim')
  from public.messenger_settle_and_claim(
    settlements, token, max_messages, lease_ms, queues, last_keys, run_alone, sweep, repeated,
    slots, start_within_ms, max_bytes
  ) as answer
$$;

-- Dispatches messages of these types to one group of the default queue, each in a call of its own.
create function test.dispatch_to_group(group_key text, variadic types text[]) returns void
language sql
as $$
  select public.messenger_dispatch(type, group_key => dispatch_to_group.group_key)
  from unnest(types) with ordinality as t (type, position) order by position
$$;

-- Claims up to 100 messages for a worker and answers their types.
create function test.claimed(worker integer) returns text[]
language sql
as $$ select test.types(test.claim(test.token(worker)) -> 'messages') $$;

-- Handles the messages of these types that a worker has claimed.
create function test.handle(worker integer, variadic types text[]) returns void
language sql
as $$
  select public.messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(worker), 'grouped', true, 'handled', test.ids(variadic types)
  )))
$$;

-- The types of blocked messages, by id.
create function test.blocked() returns text[]
language sql
as $$ select array(select m.type from public.messenger_messages m where m.blocked order by m.id) $$;

-- Whether a statement does not fail.
create function test.succeeds(statement text) returns boolean
language plpgsql
as $$
begin
  execute statement;
  return true;
exception when others then
  return false;
end
$$;

-- Makes dead letters of the messages of these types that a worker has claimed.
create function test.bury(worker integer, variadic types text[]) returns void
language sql
as $$
  select public.messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(worker), 'dead', (
      select jsonb_agg(jsonb_build_object('id', test.id_of(type), 'reason', 'exhausted'))
      from unnest(types) as t (type)
    )
  )))
$$;

-- Dispatches a batch of one message of each of these types, which dispatches Finished, Succeeded and Failed.
create function test.batch(variadic types text[] default '{}') returns bigint
language sql
as $$
  select public.messenger_dispatch_batch(
    (
      select coalesce(jsonb_agg(jsonb_build_object('type', type) order by position), '[]')
      from unnest(types) with ordinality as t (type, position)
    ),
    'test', '{"type":"Finished"}', '{"type":"Succeeded"}', '{"type":"Failed"}'
  )
$$;

-- The types of messages that a batch has dispatched at its events, in their order.
create function test.told() returns text[]
language sql
as $$ select array(select m.type from public.messenger_messages m where m.stamps ? 'ofBatch' order by m.id) $$;

-- Leaves one alert, by a rule, which is told on the channel `ops`, a webhook.
create function test.alert(rule text, settings jsonb default '{}') returns void
language plpgsql
as $$
begin
  delete from public.messenger_alerts where true;
  perform public.messenger_set_alert_channel('ops', '{"kind":"webhook","url":"https://a.example/hook"}');
  perform public.messenger_create_alert('mine', rule, settings);
end
$$;

-- The state of that alert after a check.
create function test.checked_alert() returns text
language plpgsql
as $$
begin
  perform public.messenger_check_alerts();
  return (select coalesce(a.error, a.state) from public.messenger_alerts a where a.name = 'mine');
end
$$;

-- The value of that alert at this moment, and what it is about.
create function test.measured() returns jsonb
language plpgsql
as $$
declare
  measured record;
begin
  select m.* into measured from public.messenger_alerts a cross join lateral messenger.measure_alert(a) as m
  where a.name = 'mine';
  return jsonb_build_array(measured.value, measured.subject);
end
$$;

-- pg_net's answer to the last request of a delivery.
create function test.answer_alert(status integer, content text default null, error text default null) returns void
language sql
as $$
  insert into net._http_response (id, status_code, content, error_msg, timed_out, created)
  select d.request_id, answer_alert.status, answer_alert.content, answer_alert.error, false, clock_timestamp()
  from public.messenger_alert_deliveries d where d.status = 'sent'
$$;

-- The deliveries, in order: event and status.
create function test.told_alerts() returns text[]
language sql
as $$ select array(select d.event || ' ' || d.status from public.messenger_alert_deliveries d order by d.id) $$;
