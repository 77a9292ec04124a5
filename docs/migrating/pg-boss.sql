-- Moves waiting jobs of pg-boss 12.38 into Symphony Messenger. docs/migrating/pg-boss.md tells how to run it.
--
--   \i pg-boss.sql
--   call pg_temp.move_pg_boss('{"mails": {"type": "EmailMessage", "queue": "mail"}, "old": null}', dry_run => true);
--
-- The map has an entry for each queue with waiting jobs: the type and the queue here, or null to leave it as it is.
-- Each batch is one transaction that removes jobs there and dispatches them here. The session needs psql or another
-- client that sends the call outside a transaction. Active jobs stay with their worker.

create or replace function pg_temp.check_pg_boss_map(mapping jsonb, boss_schema text) returns void
language plpgsql as $$
declare
  entry record;
  found_version integer;
begin
  if jsonb_typeof(mapping) is distinct from 'object' then
    raise exception 'mapping: has to be an object of queue names' using errcode = '22023';
  elsif to_regclass(format('%I.version', boss_schema)) is null then
    raise exception 'boss_schema: % holds no pg-boss', boss_schema using errcode = '22023';
  end if;
  execute format('select version from %I.version', boss_schema) into found_version;
  if found_version is distinct from 46 then
    raise exception 'pg-boss: has schema version %; has to have 46 (pg-boss 12.38): upgrade pg-boss first',
      found_version using errcode = '22023';
  end if;
  for entry in execute format(
    'select e.key, e.value, q.name is null as is_unknown
    from jsonb_each($1) e left join %I.queue q on q.name = e.key', boss_schema
  ) using mapping loop
    if entry.is_unknown then
      raise exception 'mapping.%: pg-boss has no queue of this name', entry.key using errcode = '22023';
    elsif jsonb_typeof(entry.value) = 'null' then
      continue;
    elsif jsonb_typeof(entry.value) <> 'object' or entry.value - '{type,queue}'::text[] <> '{}'
      or jsonb_typeof(entry.value -> 'type') is distinct from 'string' then
      raise exception 'mapping.%: has to be {"type": ..., "queue": ...} or null (was %)', entry.key, entry.value
        using errcode = '22023';
    end if;
  end loop;
end
$$;

-- Refuses what has no equal here: a queue without an entry, and jobs of a flow, which wait for one another.
create or replace function pg_temp.check_pg_boss_jobs(mapping jsonb, boss_schema text) returns void
language plpgsql as $$
declare
  waiting record;
begin
  for waiting in execute format(
    'select j.name, count(*) as amount, bool_or(j.blocked or j.blocking or j.pending_dependencies > 0) as in_flow
    from %I.job j where j.state < ''active'' and j.name not like ''\_\_pgboss\_\_%%''
    group by j.name order by j.name', boss_schema
  ) loop
    if not mapping ? waiting.name then
      raise exception 'mapping.%: is missing; the queue holds % jobs; map it, or give null to leave them',
        waiting.name, waiting.amount using errcode = '22023';
    elsif waiting.in_flow and mapping -> waiting.name <> 'null' then
      raise exception 'queue %: has jobs that depend on others; let these flows end in pg-boss first', waiting.name
        using errcode = '22023';
    end if;
  end loop;
end
$$;

-- The message of a job. A policy becomes the key that keeps its promise: one at a time, or one that waits.
create or replace function pg_temp.message_of_job(job jsonb, target jsonb) returns jsonb
language sql as $$
  select target || jsonb_strip_nulls(jsonb_build_object(
    'priority', job -> 'priority',
    'available_at', case when (job ->> 'start_after')::timestamptz > now() then job -> 'start_after' end,
    'ttl_ms', extract(epoch from (job ->> 'keep_until')::timestamptz - public.messenger_now()) * 1000,
    'group_key', case when job ->> 'policy' in ('singleton', 'key_strict_fifo')
      then coalesce(job ->> 'singleton_key', job ->> 'name') else job ->> 'group_id' end,
    'dedupe_key', case when job ->> 'policy' in ('short', 'stately', 'exclusive')
      then coalesce(job ->> 'singleton_key', job ->> 'name') end,
    'dedupe', case when job ->> 'policy' in ('short', 'stately') then 'until-started'
      when job ->> 'policy' = 'exclusive' then 'until-finished' end
  )) || jsonb_build_object('stamps', jsonb_build_object('pg-boss', jsonb_strip_nulls(jsonb_build_object(
    'id', job -> 'id', 'queue', job -> 'name', 'created_on', job -> 'created_on', 'singleton_key', job -> 'singleton_key'
  )))) || case when job -> 'data' is null or job -> 'has_data' = 'false' then '{}'
    else jsonb_build_object('payload', job -> 'data') end
$$;

-- Dispatches one job. Returns whether a message was written: a message that holds the job's key already stands for
-- another one, so the job stays.
create or replace function pg_temp.dispatch_job(job jsonb, target jsonb) returns boolean
language plpgsql as $$
declare
  retries constant integer :=
    case when job ->> 'started_on' is null then 0 else (job ->> 'retry_count')::integer + 1 end;
  new_id bigint;
begin
  new_id := (public.messenger_enqueue(jsonb_build_array(pg_temp.message_of_job(job, target))) -> 'ids' ->> 0)::bigint;
  update public.messenger_messages m set retry_count = retries, attempts = retries
  where m.id = new_id and m.stamps #>> '{pg-boss,id}' = job ->> 'id';
  return found;
exception when others then
  raise exception 'queue %, job %: %', job ->> 'name', job ->> 'id', sqlerrm using errcode = sqlstate;
end
$$;

-- Moves up to `batch_size` jobs of a queue and returns their number. Jobs beyond their retention are pg-boss's to delete.
create or replace function pg_temp.move_pg_boss_batch(
  queue_name text, target jsonb, batch_size integer, boss_schema text
) returns integer
language plpgsql as $$
declare
  job jsonb;
  moved integer := 0;
begin
  for job in execute format(
    'select to_jsonb(j) || jsonb_build_object(''has_data'', j.data is not null) from %I.job j
    where j.name = $1 and j.state < ''active'' and j.keep_until > public.messenger_now()
      and not exists (
        select from public.messenger_messages m
        where m.type = $2 ->> ''type'' and m.dedupe_key = coalesce(j.singleton_key, j.name)
          and j.policy in (''short'', ''stately'', ''exclusive'')
      )
    order by j.created_on, j.id limit $3 for update of j skip locked', boss_schema
  ) using queue_name, target, batch_size loop
    if pg_temp.dispatch_job(job, target) then
      execute format('delete from %I.job where name = $1 and id = $2', boss_schema)
        using queue_name, (job ->> 'id')::uuid;
      moved := moved + 1;
    end if;
  end loop;
  return moved;
end
$$;

-- Moves all of a queue in a transaction that it undoes, and returns how many there were.
create or replace function pg_temp.try_pg_boss(
  queue_name text, target jsonb, batch_size integer, boss_schema text
) returns bigint
language plpgsql as $$
declare
  moved integer;
  total bigint := 0;
begin
  loop
    moved := pg_temp.move_pg_boss_batch(queue_name, target, batch_size, boss_schema);
    total := total + moved;
    exit when moved = 0;
  end loop;
  raise sqlstate 'SMDRY';
exception when sqlstate 'SMDRY' then
  return total;
end
$$;

-- Returns {"<queue>": {"moved": n, "left": n}}; what a dry run would move is counted as left too.
create or replace procedure pg_temp.move_pg_boss(
  mapping jsonb, batch_size integer default 500, dry_run boolean default false,
  boss_schema text default 'pgboss', inout report jsonb default '{}'
)
language plpgsql as $$
declare
  entry record;
  moved integer;
  total bigint;
  remaining bigint;
begin
  perform pg_temp.check_pg_boss_map(mapping, boss_schema);
  perform pg_temp.check_pg_boss_jobs(mapping, boss_schema);
  if batch_size is null or batch_size not between 1 and 10000 then
    raise exception 'batch_size: has to be from 1 to 10000 (was %)', batch_size using errcode = '22023';
  end if;
  report := '{}';
  for entry in select e.key, e.value from jsonb_each(mapping) e where jsonb_typeof(e.value) = 'object' loop
    total := 0;
    if dry_run then
      total := pg_temp.try_pg_boss(entry.key, entry.value, batch_size, boss_schema);
    else
      loop
        moved := pg_temp.move_pg_boss_batch(entry.key, entry.value, batch_size, boss_schema);
        total := total + moved;
        commit;
        exit when moved = 0;
      end loop;
    end if;
    execute format('select count(*) from %I.job where name = $1 and state < ''active''', boss_schema)
      into remaining using entry.key;
    report := report || jsonb_build_object(entry.key, jsonb_build_object('moved', total, 'left', remaining));
  end loop;
end
$$;
