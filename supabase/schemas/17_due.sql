-- Due messages: the ones that a claim may take, locked in the order in which it takes them.

-- Where the latest large claim has come to, whether it is committed or not: a sequence is the one thing
-- that a transaction shows to others before its end. It is a hint, and no more: of one queue at a time.
create sequence messenger.claim_hint
  minvalue -9223372036854775808 maxvalue 9223372036854775807 start 1;
comment on sequence messenger.claim_hint is
  'Id of the last message of the latest large claim, committed or not: others continue behind it, instead of passing over its locked rows one by one.';

-- The queues that hold due messages, found in the claim's index: the scan jumps from the first message
-- of a queue to the first message of the next queue. Its cost depends on the number of these queues, and neither
-- on messenger_queues nor on the number of messages. A queue of which all messages are of the future is passed, with a
-- look at each of its priorities. Paused queues are among them.
--
-- A queue in `p_last_keys` is returned without a look: its first messages are gone, and vacuum may have left
-- many of their rows. `first_key` is, as such a key is, in front of the first due message.
create function messenger.due_queues(
  p_queues text[] default null, p_last_keys jsonb default '{}'
) returns table (queue text, first_key jsonb)
language plpgsql
rows 10
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- To be passed, or to be looked at; in the order of the index.
  names text[] := array(select jsonb_object_keys(p_last_keys));
  name text;
  behind text := '';
  first record;
begin
  if p_queues is not null then
    return query select k, null::jsonb from unnest(names) as k
    where array_position(p_queues, k) is not null;
    names := array(select distinct q from unnest(p_queues) as q where not p_last_keys ? q);
  else
    return query select k, null::jsonb from unnest(names) as k;
    names := array(select k from unnest(names) as k order by k) || null::text;
  end if;

  foreach name in array names loop
    loop
      -- The three are alike but for where they look: the planner has to see the bounds of the index.
      if p_queues is not null then
        select m.queue, m.priority, m.available_at, m.id into first
        from messenger.ready_messages m
        where m.queue = name
        order by m.priority desc, m.available_at, m.id limit 1;
      elsif name is not null then
        select m.queue, m.priority, m.available_at, m.id into first
        from messenger.ready_messages m
        where m.queue > behind and m.queue < name
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      else
        select m.queue, m.priority, m.available_at, m.id into first
        from messenger.ready_messages m
        where m.queue > behind
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      end if;
      exit when first.queue is null;
      behind := first.queue;
      while first.available_at > clock loop
        select m.queue, m.priority, m.available_at, m.id into first
        from messenger.ready_messages m
        where m.queue = behind and m.priority < first.priority
        order by m.priority desc, m.available_at, m.id limit 1;
      end loop;
      if first.queue is not null then
        queue := first.queue;
        first_key := jsonb_build_array(first.priority, first.available_at, first.id - 1);
        return next;
      end if;
      exit when p_queues is not null;
    end loop;
    behind := name;
  end loop;
end
$$;
comment on function messenger.due_queues(text[], jsonb) is
  'Part of a claim: the queues that have due messages, of these or of all, each with a key in front of its first one; those that p_last_keys has are given without.';

-- Up to `p_max_messages` due messages of one queue, locked, in the order priority, due time, id. It walks
-- priority by priority, so that messages of the future, however many, are never read. With `p_last_key`
-- it continues behind that key: rows deleted before it are not read again, which keeps a drain fast while
-- a long transaction holds back vacuum. `p_first_key` is where the queue's first due message is, if that is
-- known. `p_held` are those that the claim has already.
--
-- A large claim with a key continues behind the front of the other claims under way. The next head scan finds
-- the messages that those claims leave behind, and the messages that come before a key.
--
-- A claim names what it has locked by ctid: no other session moves a locked row, and the claim's
-- update needs no second walk through an index.
create function messenger.lock_due(
  p_queue text, p_max_messages integer, p_last_key jsonb default null, p_held tid[] default '{}',
  p_first_key jsonb default null
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  from_key constant jsonb := coalesce(p_last_key, p_first_key);
  current_priority smallint := (from_key ->> 0)::smallint;
  behind_at timestamptz := (from_key ->> 1)::timestamptz;
  behind_id bigint := (from_key ->> 2)::bigint;
  locked tid[] := array[]::tid[];
  candidates tid[];
  grouped boolean;
  asked integer;
  rounds integer := 0;
  is_large constant boolean := p_max_messages >= 100;
  -- Transactions under way. A row that they have locked is passed over by its xmax, which is cheaper than to
  -- try the lock; `skip locked` finds the rest.
  others constant xid[] := array(
    select x::xid from pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) as x
  );
  front record;
begin
  -- Each priority is read from its first message on: what vacuum has left behind before it is passed
  -- once.
  if current_priority is null then
    select m.priority, m.available_at, m.id - 1 into current_priority, behind_at, behind_id
    from messenger.ready_messages m
    where m.queue = p_queue
    order by m.priority desc, m.available_at, m.id limit 1;
  end if;

  if is_large and p_last_key is not null then
    select m.priority, m.available_at, m.id into front
    from public.messenger_messages m
    where m.id = (select f.last_value from messenger.claim_hint f)
      and m.queue = p_queue and m.available_at <= clock
      and (
        m.priority < current_priority
        or m.priority = current_priority and (m.available_at, m.id) > (behind_at, behind_id)
      );
    if found then
      current_priority := front.priority;
      behind_at := front.available_at;
      behind_id := front.id;
    end if;
  end if;

  while current_priority is not null loop
    asked := p_max_messages - cardinality(locked);
    select array_agg(c.ctid), bool_or(c.group_key is not null) into candidates, grouped
    from (
      select m.ctid, m.group_key from messenger.ready_messages m
      where m.queue = p_queue and m.priority = current_priority
        and m.available_at <= clock
        and (m.available_at, m.id) > (behind_at, behind_id)
        and (m.xmax = '0' or m.xmax <> all (others))
      order by m.available_at, m.id
      limit asked
      for update skip locked
    ) as c;

    if grouped then
      locked := locked || messenger.admit_groups(
        p_queue, candidates, p_held || locked
      );
      rounds := rounds + 1;
      -- Bounded, where a long group has only just been blocked.
      exit when rounds = 5;
    else
      locked := locked || candidates;
    end if;
    exit when cardinality(locked) >= p_max_messages;

    if cardinality(candidates) = asked then
      select m.available_at, m.id into behind_at, behind_id
      from public.messenger_messages m where m.ctid = candidates[asked];
    else
      select m.priority, m.available_at, m.id - 1 into current_priority, behind_at, behind_id
      from messenger.ready_messages m
      where m.queue = p_queue and m.priority < current_priority
      order by m.priority desc, m.available_at, m.id limit 1;
    end if;
  end loop;

  if is_large and cardinality(locked) = p_max_messages then
    perform setval('messenger.claim_hint', m.id)
    from public.messenger_messages m where m.ctid = locked[p_max_messages];
  end if;
  return locked;
end
$$;
comment on function messenger.lock_due(text, integer, jsonb, tid[], jsonb) is
  'Part of a claim: locks due messages of one queue in claim order, behind a key if one is given, and returns where they lie.';
