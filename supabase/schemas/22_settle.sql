-- Settling: what became of leased messages is written in one call and one transaction, each outcome
-- under the token of its claim. A message whose lease has moved on is left alone and named as stale; a
-- cancelled one that would come again goes to the dead letters instead, and is named as stale too.
--
-- A settle call takes its locks in the order of 01_overview.sql: groups, messages, dead letters, leases. One
-- statement over ascending ids locks in their order; a call of several locks all its messages first.

-- A history has at most 100 entries and some 64 KB: the first error stays, and the latest as far as they fit.
-- An entry that would take a quarter of that, which no worker writes, keeps what tells most.
create or replace function messenger.bound_errors(p_errors jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  most constant integer := 65536;
  first jsonb;
  latest jsonb := '[]'::jsonb;
  entry jsonb;
  size integer := 0;
begin
  for entry in
    select case
      when pg_column_size(e.value) <= most / 4 then e.value
      else jsonb_build_object(
        'message', left(coalesce(e.value ->> 'message', e.value::text), 2000),
        'class', left(e.value ->> 'class', 200), 'code', left(e.value ->> 'code', 200),
        'attempt', left(e.value ->> 'attempt', 20), 'at', left(e.value ->> 'at', 40)
      )
    end
    from jsonb_array_elements(p_errors) with ordinality as e (value, position)
    order by e.position = 1 desc, e.position desc
    limit 100
  loop
    size := size + pg_column_size(entry);
    exit when size > most;
    if first is null then
      first := entry;
    else
      latest := jsonb_build_array(entry) || latest;
    end if;
  end loop;
  return jsonb_build_array(first) || latest;
end
$$;
comment on function messenger.bound_errors(jsonb) is
  'Bounds a history: the first error, and as many of the latest as fit into 100 entries and 64 KB.';

-- Adds errors to a message's history, whatever stands there.
create or replace function messenger.append_errors(p_history jsonb, p_latest jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select case
    when jsonb_array_length(whole.errors) <= 100 and pg_column_size(whole.errors) <= 65536
    then whole.errors
    else messenger.bound_errors(whole.errors)
  end
  from (
    select
      case
        when jsonb_typeof(p_history) = 'array' then p_history
        when p_history is null or p_history = 'null' then '[]'
        else jsonb_build_array(p_history)
      end
      || case when jsonb_typeof(p_latest) = 'array' then p_latest else '[]' end as errors
  ) as whole
$$;
comment on function messenger.append_errors(jsonb, jsonb) is
  'Adds errors to a message''s history and bounds it.';

create or replace function messenger.settled_ids(p_settlements jsonb) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select i.id::bigint
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral (
      select jsonb_array_elements_text(
        coalesce(s.entry -> 'handled', '[]') || coalesce(s.entry -> 'released', '[]')
      )
      union all
      select jsonb_array_elements(
        coalesce(s.entry -> 'snoozed', '[]') || coalesce(s.entry -> 'retries', '[]')
          || coalesce(s.entry -> 'dead', '[]')
      ) ->> 'id'
    ) as i (id)
  );
end
$$;
comment on function messenger.settled_ids(jsonb) is
  'The ids of all messages that settlements name.';

-- The messages of a settle call in the order of locks, before statements that meet them in another one.
create or replace function messenger.lock_settled(p_settlements jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := messenger.settled_ids(p_settlements);
begin
  perform from public.messenger_messages m
  where m.id = any (ids)
  order by m.id
  for update;
end
$$;
comment on function messenger.lock_settled(jsonb) is
  'Part of a settle call that takes several statements: locks its messages, ascending by id.';

-- What runs keeps its group, so a worker may say which groups these are: to read them costs as much as to
-- delete the messages.
create or replace function messenger.lock_settled_groups(
  p_settlements jsonb, out queues text[], out group_keys text[]
)
language plpgsql
set search_path = ''
as $$
begin
  if p_settlements @? '$[*] ? (@.grouped == true && !exists(@.groups))' then
    select g.queues, g.group_keys into queues, group_keys
    from messenger.lock_groups(messenger.settled_ids(p_settlements), p_running => true) as g;
    return;
  end if;
  select coalesce(array_agg(g.queue), '{}'), coalesce(array_agg(g.group_key), '{}')
  into queues, group_keys
  from (
    select distinct p.pair ->> 0 as queue, p.pair ->> 1 as group_key
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral jsonb_array_elements(s.entry -> 'groups') as p (pair)
  ) as g
  where g.queue is not null and g.group_key is not null;
  perform messenger.take_group_locks(queues, group_keys);
end
$$;
comment on function messenger.lock_settled_groups(jsonb) is
  'Part of a settle call: takes the locks of its messages'' groups and returns the groups, each once.';

-- `settlements` is an array with an entry for each token:
--   token     of the claim
--   grouped   true where one of its messages is in a group
--   groups    [[queue, key]]: all groups of these messages, each once; where they are not given, they are read
--   handled   ids: done, the row goes
--   kept      [{id, keep_ms}]: those of them that are remembered for a time
--   progressed  ids: those of them whose progress was reported
--   released  ids: given back unstarted, and the attempt with it
--   snoozed   [{id, delay_ms, stamps?}]: its handler asked for it later; the attempt is given back
--   retries   [{id, delay_ms, retry_count, quarantined?, interrupted?, stamps?, errors?}]: the row stays and
--             waits; interrupted: its worker ended before its handlers did; the attempt is given back
--   dead      [{id, reason, stamps?, errors?}]: the row moves to the dead letters
-- Answers {"stale": [ids]}: those whose outcome was not written, for their lease is no longer this
-- token's, or they are cancelled.
create or replace function public.messenger_settle(settlements jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  settlement jsonb;
  fence uuid;
  handled_ids bigint[];
  given bigint[] := array[]::bigint[];
  settled bigint[] := array[]::bigint[];
  -- How many of them there were before the token at hand.
  settled_before integer;
  -- What is taken off each lease.
  tokens uuid[] := array[]::uuid[];
  numbers integer[] := array[]::integer[];
  -- Those of them that schedules had made.
  runs bigint[];
  reasons text[];
  stale bigint[];
  -- The groups of these messages; null where none of them is in one.
  queues text[];
  group_keys text[];
begin
  if jsonb_typeof(settlements) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'settlements: has to be an array';
  end if;

  if settlements @> '[{"grouped": true}]' then
    select g.queues, g.group_keys into queues, group_keys
    from messenger.lock_settled_groups(settlements) as g;
    -- They are opened together, at the end.
    perform set_config('messenger.groups', 'settled', true);
  end if;

  -- What is handled under one token is one statement: the plain call, which pays for no locks twice.
  if jsonb_array_length(settlements) > 1 or settlements @? '$[*] ? (
    exists(@.released) || exists(@.snoozed) || exists(@.retries) || exists(@.dead) || exists(@.kept)
  )' then
    perform messenger.lock_settled(settlements);
  end if;

  for settlement in select value from jsonb_array_elements(settlements) loop
    fence := (settlement ->> 'token')::uuid;
    settled_before := cardinality(settled);
    if fence is null then
      raise sqlstate 'PT400' using message = 'settlements: an entry has no token';
    end if;
    handled_ids := array(select jsonb_array_elements_text(settlement -> 'handled')::bigint);
    given := given || handled_ids
      || array(select jsonb_array_elements_text(settlement -> 'released')::bigint)
      || array(select (jsonb_array_elements(settlement -> 'snoozed') ->> 'id')::bigint)
      || array(select (jsonb_array_elements(settlement -> 'retries') ->> 'id')::bigint)
      || array(select (jsonb_array_elements(settlement -> 'dead') ->> 'id')::bigint);

    if settlement ? 'kept' then
      perform messenger.remember_handled(settlement -> 'kept', fence);
    end if;

    with handled as (
      delete from public.messenger_messages m
      where m.id = any (handled_ids) and m.lease_token = fence
      returning m.id, m.stamps ? 'schedule' as scheduled
    )
    select settled || coalesce(array_agg(h.id), '{}'), array_agg(h.id) filter (where h.scheduled)
    into settled, runs from handled h;
    if runs is not null then
      perform messenger.finish_schedule_runs(runs, 'handled');
    end if;
    if settlement ? 'progressed' then
      delete from messenger.progress p
      where p.message_id = any (settled) and p.message_id = any (
          array(select jsonb_array_elements_text(settlement -> 'progressed')::bigint)
        );
    end if;

    if settlement ? 'released' then
      with released as (
        update public.messenger_messages m
        set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
          heartbeated = false
        where m.id = any (
            array(select jsonb_array_elements_text(settlement -> 'released')::bigint order by 1)
          )
          and m.lease_token = fence and not m.cancelled
        returning m.id
      )
      select settled || coalesce(array_agg(r.id), '{}') into settled from released r;
    end if;

    if settlement ? 'snoozed' then
      with snoozed as (
        update public.messenger_messages m
        set status = 'pending', attempts = greatest(m.attempts, 1) - 1, lease_token = null, leased_until = null,
          heartbeated = false, available_at = clock + g.delay_ms * interval '1 millisecond',
          snoozes = m.snoozes + 1, interruptions = 0, stamps = coalesce(g.stamps, m.stamps)
        from jsonb_to_recordset(settlement -> 'snoozed') as g (
          id bigint, delay_ms double precision, stamps jsonb
        )
        where m.id = g.id and m.lease_token = fence and not m.cancelled
        returning m.id
      )
      select settled || coalesce(array_agg(s.id), '{}') into settled from snoozed s;
    end if;

    if settlement ? 'retries' then
      with given_retries as materialized (
        select * from jsonb_to_recordset(settlement -> 'retries') as g (
          id bigint, delay_ms double precision, retry_count bigint, quarantined boolean,
          interrupted boolean, stamps jsonb, errors jsonb
        )
      ),
      retried as (
        update public.messenger_messages m
        set status = 'pending', lease_token = null, leased_until = null, heartbeated = false,
          available_at = clock + g.delay_ms * interval '1 millisecond',
          retry_count = least(g.retry_count, 2147483647),
          quarantined = m.quarantined or coalesce(g.quarantined, false),
          attempts = m.attempts - coalesce(g.interrupted, false)::integer,
          interruptions = case when g.interrupted then m.interruptions + 1 else 0 end,
          stamps = coalesce(g.stamps, m.stamps),
          errors = messenger.append_errors(m.errors, g.errors)
        from given_retries g
        where m.id = g.id and m.lease_token = fence and not m.cancelled
        returning m.id
      )
      select settled || coalesce(array_agg(r.id), '{}') into settled from retried r;
    end if;

    if settlement ? 'dead' then
      with given_dead as materialized (
        select * from jsonb_to_recordset(settlement -> 'dead') as g (
          id bigint, reason text, stamps jsonb, errors jsonb
        )
      ),
      gone as (
        delete from public.messenger_messages m
        using given_dead g
        where m.id = g.id and m.lease_token = fence
        returning m.*, g.reason, coalesce(g.stamps, m.stamps) as last_stamps,
          messenger.append_errors(m.errors, g.errors) as all_errors
      ),
      buried as (
        insert into public.messenger_failed_messages (
          id, type, payload, queue, priority, reason, error, errors, retry_count, attempts,
          redriven, group_key, stamps, created_at, failed_at
        )
        select messenger.free_id(g.id), g.type, g.payload, g.queue, g.priority, g.reason,
          g.all_errors -> -1 ->> 'message', g.all_errors, g.retry_count, g.attempts,
          -- Stamps may be of the user's own SQL.
          case
            when g.last_stamps ->> 'redriven' ~ '^[0-9]{1,9}$'
            then (g.last_stamps ->> 'redriven')::integer else 0
          end,
          g.group_key, g.last_stamps,
          g.created_at, clock
        from gone g
      )
      select settled || coalesce(array_agg(g.id), '{}'),
        array_agg(g.id) filter (where g.last_stamps ? 'schedule'),
        array_agg(g.reason) filter (where g.last_stamps ? 'schedule')
      into settled, runs, reasons from gone g;
      if runs is not null then
        perform messenger.finish_schedule_runs(runs, 'failed', reasons);
      end if;
    end if;
    tokens := tokens || fence;
    numbers := numbers || cardinality(settled) - settled_before;
  end loop;
  perform messenger.close_leases(tokens, numbers);

  if queues is not null then
    perform set_config('messenger.groups', '', true);
    perform messenger.reopen_groups(queues, group_keys);
  end if;

  -- Not every worker is there when these fall due.
  if settlements @? '$[*] ? (exists(@.retries) || exists(@.snoozed) || exists(@.released) || @.grouped == true)'
  then
    perform messenger.wake_for_next();
  end if;

  if cardinality(settled) = cardinality(given) then
    stale := '{}';
  else
    stale := array(select unnest(given) except select unnest(settled));
    perform messenger.settle_cancelled(settlements, stale);
  end if;
  return jsonb_build_object('stale', stale::text[]);
end
$$;
comment on function public.messenger_settle(jsonb) is
  'Writes what became of leased messages, in one transaction: handled, released, snoozed, retries, dead. Answers {"stale": [...]}: messages whose outcome was not written, for their lease is another''s by now or they are cancelled.';

-- The cancelled among messages that were to come again: they go to the dead letters, with what the
-- settlements say went wrong last. Part of a settle call, which needs it only for what it found stale.
create or replace function messenger.settle_cancelled(p_settlements jsonb, p_ids bigint[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  burials jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'token', m.lease_token,
    'dead', jsonb_build_array(jsonb_build_object(
      'id', m.id, 'reason', 'cancelled',
      'stamps', given.outcome -> 'stamps', 'errors', given.outcome -> 'errors'
    ))
  ))
  into burials
  from public.messenger_messages m
  join jsonb_array_elements(p_settlements) as s (entry) on (entry ->> 'token')::uuid = m.lease_token
  left join lateral jsonb_array_elements(
    coalesce(entry -> 'retries', '[]') || coalesce(entry -> 'snoozed', '[]')
  ) as given (outcome) on (given.outcome ->> 'id')::bigint = m.id
  where m.id = any (p_ids) and m.cancelled;

  if burials is not null then
    perform public.messenger_settle(burials);
  end if;
end
$$;
comment on function messenger.settle_cancelled(jsonb, bigint[]) is
  'Part of messenger_settle: moves cancelled messages that were to come again to the dead letters.';

-- One round trip a batch: settles the last and claims the next. It returns a set of one row, for which
-- PostgREST answers [row] as it is: a single value it would read through once more, to take it out
-- of just such brackets.
create or replace function public.messenger_settle_and_claim(
  settlements jsonb,
  token uuid,
  max_messages integer default 100,
  lease_ms integer default 60000,
  queues text[] default null,
  last_keys jsonb default null,
  run_alone boolean default false,
  sweep boolean default true,
  repeated boolean default false,
  slots integer default null,
  start_within_ms integer default 250,
  max_bytes bigint default 8388608,
  unread boolean default false
) returns setof json
language plpgsql
rows 1
set search_path = ''
as $$
declare
  settled constant jsonb := public.messenger_settle(settlements);
  -- What a settled message of a group has let go may stand before the last key.
  goes_on constant boolean := not settlements @> '[{"grouped": true}]';
begin
  return next json_build_object('stale', settled -> 'stale', 'claim', public.messenger_claim(
    token, max_messages, lease_ms, queues, case when goes_on then last_keys end, run_alone, sweep,
    repeated, slots, start_within_ms, max_bytes, unread
  ));
end
$$;
comment on function public.messenger_settle_and_claim(
  jsonb, uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean
) is
  'messenger_settle and messenger_claim in one call and one transaction: a worker''s one round trip for each batch. Answers one row: {"stale", "claim"}.';
