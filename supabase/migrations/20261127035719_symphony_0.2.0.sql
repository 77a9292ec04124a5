-- Symphony Messenger 0.1.0 to 0.2.0, written by `deno task release 0.2.0`.

-- If another session locks one of these tables, this migration fails soon. A migration that waits would
-- make all later sessions wait behind it.
set local lock_timeout = '5s';

do $$
begin
  if to_regprocedure('public.messenger_version()') is null then
    raise exception 'Symphony Messenger is not in this database: the schema has to be 0.1.0'
      using hint = 'Apply the migrations of the earlier releases first.';
  end if;
  if public.messenger_version() <> '0.1.0' then
    raise exception 'the schema is Symphony Messenger %, and this migration leads from 0.1.0 to 0.2.0',
        public.messenger_version()
      using hint = 'Apply the migrations in the order of their releases, each of them once.';
  end if;
end
$$;

-- Functions, views, triggers and comments. Their bodies are checked when all of them are there.
set local check_function_bodies = off;

CREATE OR REPLACE FUNCTION public.messenger_version()
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$ select '0.2.0'::text $function$;

CREATE OR REPLACE FUNCTION messenger.redrive_ids(p_ids bigint[], p_options jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
 SET jit TO 'off'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  since constant timestamptz := (p_options ->> 'since')::timestamptz;
  before constant integer := (p_options ->> 'matched')::integer;
  per_second constant numeric := (p_options ->> 'per_second')::numeric;
  to_queue constant text := p_options ->> 'to_queue';
  redriven bigint;
begin
  -- Skips dead letters that another session is just moving, so that two redrives of one message enqueue it once.
  -- Also skips those that are too large to be a message, which only a user's SQL can have written.
  with locked as (
    select f.id from public.messenger_failed_messages f
    where f.id = any (p_ids)
      and (p_options ? 'payload' or pg_column_size(f.payload) <= messenger.max_payload_bytes())
    for update skip locked
  ),
  gone as (
    delete from public.messenger_failed_messages f
    using locked l
    where f.id = l.id
    returning f.*
  ),
  forgotten as (
    delete from messenger.progress p using gone g where p.message_id = g.id
  ),
  numbered as (
    select g.*, row_number() over (order by g.failed_at, g.id) - 1 as number from gone g
  )
  insert into public.messenger_messages (
    id, type, payload, queue, priority, available_at, created_at, group_key, stamps, errors, quarantined
  )
  select
    -- After a restore another message may have the id by now.
    case
      when exists (select from public.messenger_messages m where m.id = n.id)
      then messenger.new_id() else n.id
    end,
    n.type, coalesce(p_options -> 'payload', n.payload), coalesce(to_queue, n.queue), n.priority,
    -- Counted from the first step on, so that the rate holds over all of them.
    case
      when per_second is null then public.messenger_now()
      else since + (before + n.number) / per_second * interval '1 second'
    end,
    n.created_at, n.group_key,
    coalesce(n.stamps, '{}') || jsonb_build_object('redriven', n.redriven + 1),
    nullif(n.errors, '[]'),
    -- A message that crashed its worker before may do so again.
    n.reason = 'crashed'
  from numbered n
  order by n.number;
  get diagnostics redriven = row_count;
  return jsonb_build_object('done', redriven);
end
$function$;

CREATE OR REPLACE FUNCTION public.messenger_schedule_interval(type text, payload jsonb, every interval, name text DEFAULT NULL::text, max_runs integer DEFAULT NULL::integer, start_at timestamp with time zone DEFAULT NULL::timestamp with time zone, end_at timestamp with time zone DEFAULT NULL::timestamp with time zone, queue text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, group_key text DEFAULT NULL::text, ttl interval DEFAULT NULL::interval, catch_up text DEFAULT 'latest'::text, overlap text DEFAULT 'allow'::text, jitter interval DEFAULT '00:00:00'::interval, catch_up_limit integer DEFAULT NULL::integer, while_paused text DEFAULT 'enqueue'::text)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  if type is null then
    raise sqlstate 'PT400' using message = 'type: is required';
  end if;
  if every is null or every < interval '1 second' then
    raise sqlstate 'PT400' using message = format('every: has to be at least 1 second; got %s', every);
  end if;
  if end_at < greatest(start_at, public.messenger_now()) then
    raise sqlstate 'PT400' using message = 'end_at: has to come after start_at and after now';
  end if;
  return (
    public.messenger_save_schedules(jsonb_build_array(jsonb_build_object(
      'message_type', type, 'payload', payload, 'schedule_type', 'interval',
      'interval_ms', messenger.milliseconds(every, 'every'), 'name', name,
      'max_runs', max_runs, 'start_at', start_at, 'end_at', end_at, 'queue', queue,
      'priority', priority, 'group_key', group_key,
      'ttl_ms', messenger.milliseconds(ttl, 'ttl'), 'catch_up', catch_up,
      'catch_up_limit', catch_up_limit, 'overlap', overlap, 'while_paused', while_paused,
      'jitter_ms', messenger.milliseconds(jitter, 'jitter')
    ))) -> 'schedules' -> 0 ->> 'id'
  )::bigint;
end
$function$;

comment on routine messenger.redrive_ids(bigint[],jsonb) is
  'Part of a step: puts dead letters back into their queues, without the progress of their life before. Returns {"done"}.';

comment on table messenger.progress is
  'The latest progress that handlers reported of their messages. A row goes when its message is handled or redriven, or at the next prune.';

-- Grants: who may use what, made from the catalog, so that no function is forgotten.
--
-- The service role may use everything: the bus runs with its rights, and functions of public call those of
-- the schema messenger as their caller. Users, signed in or not, may use nothing. They come in through the
-- Edge Functions.

do $$
declare
  ours constant text := 'messenger\_%';
  routine regprocedure;
  relation regclass;
begin
  grant usage on schema messenger to service_role;
  revoke all on schema messenger from public, anon, authenticated;

  for routine in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'messenger'::regnamespace
      or p.pronamespace = 'public'::regnamespace and p.proname like ours
  loop
    execute format('revoke execute on routine %s from public, anon, authenticated', routine);
    execute format('grant execute on routine %s to service_role', routine);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind in ('r', 'v') and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on table %s from public, anon, authenticated', relation);
    execute format('grant select, insert, update, delete on table %s to service_role', relation);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind = 'S' and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on sequence %s from public, anon, authenticated', relation);
    execute format('grant usage, select, update on sequence %s to service_role', relation);
  end loop;
end
$$;

select public.messenger_setup();
