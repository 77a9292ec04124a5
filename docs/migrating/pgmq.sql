-- Moves waiting messages of Supabase Queues (pgmq) into Symphony Messenger. docs/migrating/pgmq.md tells how to run it.
--
--   \i pgmq.sql
--   call pg_temp.move_pgmq('{"mails": {"type": "EmailMessage", "queue": "mail"}, "old": null}', dry_run => true);
--
-- The map has an entry for each queue that holds messages: the type and the queue here, or null to leave it as it is.
-- Each batch is one transaction that removes messages there and dispatches them here. The session needs psql or
-- another client that sends the call outside a transaction. A message that a consumer holds stays: run it again later.

create or replace function pg_temp.check_pgmq_map(mapping jsonb) returns void
language plpgsql as $$
declare
  entry record;
  amount bigint;
begin
  if jsonb_typeof(mapping) is distinct from 'object' then
    raise exception 'mapping: has to be an object of queue names' using errcode = '22023';
  end if;
  for entry in select e.key, e.value from jsonb_each(mapping) e loop
    if not exists (select from pgmq.meta q where q.queue_name = entry.key) then
      raise exception 'mapping.%: pgmq has no queue of this name', entry.key using errcode = '22023';
    elsif jsonb_typeof(entry.value) = 'null' then
      continue;
    elsif jsonb_typeof(entry.value) <> 'object' or entry.value - '{type,queue}'::text[] <> '{}'
      or jsonb_typeof(entry.value -> 'type') is distinct from 'string' then
      raise exception 'mapping.%: has to be {"type": ..., "queue": ...} or null (was %)', entry.key, entry.value
        using errcode = '22023';
    end if;
  end loop;
  for entry in select q.queue_name as key from pgmq.meta q where not mapping ? q.queue_name order by 1 loop
    execute format('select count(*) from pgmq.%I', lower('q_' || entry.key)) into amount;
    if amount > 0 then
      raise exception 'mapping.%: is missing; the queue holds % messages; map it, or give null to leave them',
        entry.key, amount using errcode = '22023';
    end if;
  end loop;
end
$$;

-- Dispatches one message, and names it where the dispatch refuses it.
create or replace function pg_temp.dispatch_pgmq(queue_name text, target jsonb, given jsonb) returns void
language plpgsql as $$
begin
  perform public.messenger_enqueue(jsonb_build_array(
    target
    || case when (given ->> 'vt')::timestamptz > now() then jsonb_build_object('available_at', given -> 'vt')
      else '{}' end
    || jsonb_build_object('payload', given -> 'message', 'stamps', jsonb_build_object(
      'pgmq', given - '{message,vt}'::text[] || jsonb_build_object('queue', queue_name)
    ))
  ));
exception when others then
  raise exception 'queue %, message %: %', queue_name, given ->> 'msg_id', sqlerrm using errcode = sqlstate;
end
$$;

-- Moves up to `batch_size` messages of a queue and returns their number. Those with a visibility timeout in the future
-- that were read before are a consumer's, or wait for their retry.
create or replace function pg_temp.move_pgmq_batch(queue_name text, target jsonb, batch_size integer) returns integer
language plpgsql as $$
declare
  given jsonb;
  moved integer := 0;
begin
  for given in execute format(
    'with waiting as (
      select msg_id from pgmq.%1$I where vt <= clock_timestamp() or read_ct = 0
      order by msg_id limit $1 for update skip locked
    ), removed as (
      delete from pgmq.%1$I q using waiting w where q.msg_id = w.msg_id returning q.*
    ) select to_jsonb(r) from removed r order by r.msg_id', lower('q_' || queue_name)
  ) using batch_size loop
    perform pg_temp.dispatch_pgmq(queue_name, target, given);
    moved := moved + 1;
  end loop;
  return moved;
end
$$;

-- Moves all of a queue in a transaction that it undoes, and returns how many there were.
create or replace function pg_temp.try_pgmq(queue_name text, target jsonb, batch_size integer) returns bigint
language plpgsql as $$
declare
  moved integer;
  total bigint := 0;
begin
  loop
    moved := pg_temp.move_pgmq_batch(queue_name, target, batch_size);
    total := total + moved;
    exit when moved = 0;
  end loop;
  raise sqlstate 'SMDRY';
exception when sqlstate 'SMDRY' then
  return total;
end
$$;

-- Returns {"<queue>": {"moved": n, "left": n}}; what a dry run would move is counted as left too.
create or replace procedure pg_temp.move_pgmq(
  mapping jsonb, batch_size integer default 500, dry_run boolean default false, inout report jsonb default '{}'
)
language plpgsql as $$
declare
  entry record;
  moved integer;
  total bigint;
  remaining bigint;
begin
  perform pg_temp.check_pgmq_map(mapping);
  if batch_size is null or batch_size not between 1 and 10000 then
    raise exception 'batch_size: has to be from 1 to 10000 (was %)', batch_size using errcode = '22023';
  end if;
  report := '{}';
  for entry in select e.key, e.value from jsonb_each(mapping) e where jsonb_typeof(e.value) = 'object' loop
    total := 0;
    if dry_run then
      total := pg_temp.try_pgmq(entry.key, entry.value, batch_size);
    else
      loop
        moved := pg_temp.move_pgmq_batch(entry.key, entry.value, batch_size);
        total := total + moved;
        commit;
        exit when moved = 0;
      end loop;
    end if;
    execute format('select count(*) from pgmq.%I', lower('q_' || entry.key)) into remaining;
    report := report || jsonb_build_object(entry.key, jsonb_build_object('moved', total, 'left', remaining));
  end loop;
end
$$;
