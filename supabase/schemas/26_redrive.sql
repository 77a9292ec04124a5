-- An operator's actions on dead letters: redrive and remove, a step at a time.

create function messenger.failed_filter(p_filter jsonb, p_all boolean) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  reasons constant text[] := messenger.dead_reasons();
begin
  if p_filter ->> 'reason' <> '' and p_filter ->> 'reason' <> all (reasons) then
    raise sqlstate 'PT400' using message = format('reason: has to be one of %s', array_to_string(reasons, ', '));
  end if;
  return messenger.check_filter(p_filter, p_all);
end
$$;
comment on function messenger.failed_filter(jsonb, boolean) is
  'Part of redrive and remove: checks the filter and returns the fields that were given.';

-- Only a user's SQL can have written such a dead letter. The error of a constraint would hold up all others.
create function messenger.dead_letter_problem(
  p_letter public.messenger_failed_messages, p_options jsonb
) returns text
language plpgsql
set search_path = ''
as $$
declare
  bytes constant integer := pg_column_size(p_letter.payload);
begin
  return case
    when bytes > messenger.max_payload_bytes() and not p_options ? 'payload' then format(
      'payload: dead letter %s has %s bytes; has to have at most %s, redrive it with another payload',
      p_letter.id, bytes, messenger.max_payload_bytes()
    )
    -- The redrive adds some bytes to the stamps.
    when pg_column_size(p_letter.stamps) > 1048500 then format(
      'stamps: dead letter %s has %s bytes; has to have at most 1048500',
      p_letter.id, pg_column_size(p_letter.stamps)
    )
    when length(p_letter.type) not between 1 and 200 then
      format('type: of dead letter %s has to be a name of 1 to 200 characters', p_letter.id)
    when not messenger.is_queue_name(p_letter.queue) and not p_options ? 'to_queue' then format(
      'queue: of dead letter %s has to be 1 to 100 letters, digits or _ . : -; redrive it into another queue',
      p_letter.id
    )
    when length(p_letter.group_key) not between 1 and 255 then
      format('group_key: of dead letter %s has to be 1 to 255 characters', p_letter.id)
    when p_letter.priority not between -1000 and 1000 then
      format('priority: of dead letter %s has to be from -1000 to 1000', p_letter.id)
  end;
end
$$;
comment on function messenger.dead_letter_problem(public.messenger_failed_messages, jsonb) is
  'Part of messenger_redrive: why a dead letter cannot be a message, as "field: problem"; null if it can.';

-- All steps that are made later have further batches: their keys have this number. Else forget_from() gives it to the
-- steps alone that it forgets, and one that was interrupted continues its batch.
create function messenger.redriven_stamps(p_stamps jsonb, p_redriven bigint, p_options jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return messenger.stamps_object(p_stamps) - 'ended' || jsonb_build_object('redriven', p_redriven + 1) || case
    when p_options ->> 'from' = 'start' or p_options ?& '{from,payload}'
    then jsonb_build_object('redrivenFrom', p_redriven + 1) else '{}'
  end;
end
$$;
comment on function messenger.redriven_stamps(jsonb, bigint, jsonb) is
  'Part of a redrive: the stamps of a message that is put back.';

create function messenger.redrive_ids(p_ids bigint[], p_options jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  since constant timestamptz := (p_options ->> 'since')::timestamptz;
  before constant integer := (p_options ->> 'matched')::integer;
  per_second constant numeric := (p_options ->> 'per_second')::numeric;
  to_queue constant text := p_options ->> 'to_queue';
  redriven bigint;
  deleted bigint;
begin
  -- Skips dead letters that another session is just moving, so that two redrives of one message enqueue it once.
  -- Also skips those that cannot be a message.
  with locked as (
    select f.id from public.messenger_failed_messages f
    where f.id = any (p_ids) and messenger.dead_letter_problem(f, p_options) is null
    for update skip locked
  ),
  gone as (
    delete from public.messenger_failed_messages f
    using locked l
    where f.id = l.id
    returning f.*
  ),
  forgotten as (delete from messenger.progress p using gone g where p.message_id = g.id),
  noted as (
    insert into messenger.batch_deltas (batch_id, redriven)
    select messenger.batch_of(g.stamps), count(*) from gone g
    where messenger.batch_of(g.stamps) is not null group by 1
  ),
  numbered as (select g.*, row_number() over (order by g.failed_at, g.id) - 1 as number from gone g),
  written as (
    insert into public.messenger_messages (
      id, type, payload, queue, priority, available_at, created_at, group_key, stamps, errors, quarantined
    )
    select
      -- After a restore another message may have the id by now.
      case when exists (select from public.messenger_messages m where m.id = n.id) then messenger.new_id() else n.id end,
      n.type, coalesce(p_options -> 'payload', n.payload), coalesce(to_queue, n.queue), n.priority,
      -- Counted from the first step on, so that the rate holds over all of them.
      case when per_second is null then public.messenger_now()
        else since + (before + n.number) / per_second * interval '1 second' end,
      n.created_at, n.group_key, messenger.redriven_stamps(n.stamps, n.redriven, p_options),
      nullif(n.errors, '[]'),
      -- A message that crashed its worker before may do so again.
      n.reason = 'crashed'
    from numbered n
    order by n.number
    returning id
  )
  select (select count(*) from written), count(*) into redriven, deleted from gone;
  perform messenger.refuse_skipped('messenger_messages', redriven, deleted);
  delete from messenger.cancel_notes n where n.message_id = any (p_ids);
  perform messenger.forget_from(p_ids, p_options ->> 'from');
  perform messenger.reroute(p_ids);
  return jsonb_build_object('done', redriven);
end
$$;
comment on function messenger.redrive_ids(bigint[], jsonb) is
  'Part of a step: puts dead letters back into their queues, without the progress of their life before. Returns {"done"}.';

create function messenger.check_dead_letters(p_ids bigint[], p_options jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong text;
begin
  select p.problem into wrong
  from public.messenger_failed_messages f, messenger.dead_letter_problem(f, p_options) as p (problem)
  where f.id = any (p_ids) and p.problem is not null
  order by f.id
  limit 1;
  if wrong like 'payload: %' then
    raise sqlstate 'PT413' using message = wrong;
  elsif found then
    raise sqlstate 'PT400' using message = wrong;
  end if;
end
$$;
comment on function messenger.check_dead_letters(bigint[], jsonb) is
  'Part of messenger_redrive: refuses ids of dead letters that cannot be messages, PT400, or PT413 if one is too large.';

create function public.messenger_redrive(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  per_second numeric default null,
  to_queue text default null,
  payload jsonb default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null,
  "from" text default null,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  filter constant jsonb := messenger.failed_filter(jsonb_build_object(
    'ids', ids, 'type', type, 'queue', queue, 'reason', reason, 'error', error,
    'failed_from', failed_from, 'failed_until', failed_until, 'group_key', group_key, 'user_id', user_id,
    'created_from', created_from, 'created_until', created_until
  ), "all");
  options constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'per_second', per_second, 'to_queue', to_queue, 'from', "from"
  )) || case when payload is null then '{}' else jsonb_build_object('payload', payload) end;
  answer jsonb;
  fault_detail text;
begin
  if per_second not between 0.001 and 1000000 then
    raise sqlstate 'PT400' using message = 'per_second: has to be from 0.001 to 1000000';
  end if;
  if not messenger.is_queue_name(to_queue) then
    raise sqlstate 'PT400' using message = 'to_queue: has to be 1 to 100 letters, digits or _ . : -';
  end if;
  if payload is not null and cardinality(ids) is distinct from 1 then
    raise sqlstate 'PT400' using message = 'payload: an edited payload goes with the id of one message';
  end if;
  perform messenger.check_dead_letters(ids, options);
  perform messenger.check_from(ids, payload is not null, "from");
  if payload is not null then
    perform messenger.check_sizes(jsonb_build_array(jsonb_build_object('payload', payload)));
  end if;
  perform messenger.check_json(payload, 'payload');
  answer := messenger.take_step('redrive', filter, options, max_messages, dry_run, after);
  perform messenger.check_deferred('messenger_redrive');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_redrive(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, numeric, text, jsonb,
  boolean, boolean, jsonb, text, text, text, timestamptz, timestamptz
) is
  'Puts dead letters back into their queue, or to_queue, with fresh retries and their history: by ids, by filter or "all", at per_second if given, one with an edited payload. Steps of their handlers stay, except failed ones and those from the step "from" on, or all of them for "start". Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';

create function messenger.remove_ids(p_ids bigint[]) returns jsonb
language sql
set search_path = ''
as $$
  with locked as (
    select f.id from public.messenger_failed_messages f
    where f.id = any (p_ids)
    for update skip locked
  ),
  gone as (
    delete from public.messenger_failed_messages f
    using locked l
    where f.id = l.id
    returning f.id
  ),
  forgotten as (
    delete from public.messenger_steps s
    using locked l
    where s.message_id = l.id
  )
  select jsonb_build_object('done', count(*)) from gone
$$;
comment on function messenger.remove_ids(bigint[]) is
  'Part of a step: deletes dead letters, and the steps of their messages. Returns {"done"}.';

create function public.messenger_remove_failed(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  max_messages integer default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  answer := messenger.take_step(
    'remove_failed',
    messenger.failed_filter(jsonb_build_object(
      'ids', ids, 'type', type, 'queue', queue, 'reason', reason, 'error', error,
      'failed_from', failed_from, 'failed_until', failed_until, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until
    ), "all"),
    '{}', max_messages, dry_run, after
  );
  perform messenger.check_deferred('messenger_remove_failed');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_remove_failed(
  bigint[], text, text, text, text, timestamptz, timestamptz, integer, boolean, boolean, jsonb,
  text, text, timestamptz, timestamptz
) is
  'Deletes dead letters for good, by ids, by filter or "all". Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';
