-- Due messages: the ones that a claim may take, locked in the order in which it takes them.

-- A place in the order of a claim within one queue.
create type messenger.claim_key as (priority smallint, available_at timestamptz, id bigint);
comment on type messenger.claim_key is
  'A place in the order of a claim within one queue: that of a message, or in front of one.';

-- The last message of the latest large claim, whether that claim is committed or not: a sequence is the one thing
-- that a transaction shows to others before its end. It is a hint, about one queue at a time.
create sequence messenger.claim_hint
  minvalue -9223372036854775808 maxvalue 9223372036854775807 start 1;
comment on sequence messenger.claim_hint is
  'Id of the last message of the latest large claim, committed or not: others continue behind it, instead of passing over its locked rows one by one.';

create function messenger.place_of(p_key jsonb) returns messenger.claim_key
language plpgsql immutable
set search_path = ''
as $$
begin
  return row((p_key ->> 0)::smallint, (p_key ->> 1)::timestamptz, (p_key ->> 2)::bigint);
exception when data_exception then
  raise sqlstate 'PT400' using message = format(
    'last_keys: has to be what a claim has returned, [priority, due time, id] for a queue (was %s)', left(p_key::text, 60)
  );
end
$$;
comment on function messenger.place_of(jsonb) is
  'Part of a claim: the place that a key of last_keys names; it is an array of priority, due time and id.';

-- The smallest id has no id below it: an error here would stop the claims of all queues. SQL may have written it.
create function messenger.in_front_of(p_place messenger.claim_key) returns messenger.claim_key
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_place.id > -9223372036854775808 then
    p_place.id := p_place.id - 1;
  elsif p_place.id is not null then
    p_place.available_at := p_place.available_at - interval '1 microsecond';
    p_place.id := 9223372036854775807;
  end if;
  return p_place;
end
$$;
comment on function messenger.in_front_of(messenger.claim_key) is
  'The place in front of a message''s place in the order of a claim; null for null.';

-- The place in front of the first ready message of a queue, or of its priorities below `p_below`, whether or not that
-- message is due.
create function messenger.front_key(p_queue text, p_below integer default 32768)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  front messenger.claim_key;
begin
  select m.priority, m.available_at, m.id into front
  from messenger.ready_messages m
  where m.queue = p_queue and m.priority < p_below
  order by m.priority desc, m.available_at, m.id limit 1;
  return messenger.in_front_of(front);
end
$$;
comment on function messenger.front_key(text, integer) is
  'Part of a claim: the place in front of the first ready message of a queue, or of its priorities below one; null where none is ready.';

create function messenger.due_key(p_queue text, p_front messenger.claim_key) returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  while p_front.available_at > clock loop
    p_front := messenger.front_key(p_queue, p_front.priority);
  end loop;
  return p_front;
end
$$;
comment on function messenger.due_key(text, messenger.claim_key) is
  'Part of a claim: from the place in front of a queue''s first ready message, the place in front of its first due one; null where none is due.';

create function messenger.due_among(p_queues text[], p_last_keys jsonb)
returns table (queue text, first_key messenger.claim_key, in_lanes boolean)
language plpgsql
rows 10
set search_path = ''
as $$
declare
  name text;
begin
  in_lanes := false;
  for name in select distinct q from unnest(p_queues) as q where strpos(q, '/') = 0 loop
    queue := name;
    first_key := case when not p_last_keys ? name then messenger.due_key(name, messenger.front_key(name)) end;
    if first_key is not null or p_last_keys ? name then
      return next;
    end if;
  end loop;
  in_lanes := true;
  first_key := null;
  for name in select distinct split_part(q, '/', 1) from unnest(p_queues) as q loop
    if exists (select from messenger.ready_messages m where m.queue > name || '/' and m.queue < name || '/~') then
      queue := name;
      return next;
    end if;
  end loop;
end
$$;
comment on function messenger.due_among(text[], jsonb) is
  'Part of messenger.queues_due(), where queues are given by name.';

-- In a name, ~ would sort behind each byte that it may have. So no name is between the returned text and that of the
-- next queue. A queue without a row between two that are paused is passed over until messenger_tidy_queues makes its row.
create function messenger.before_open_queue(p_queue text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  next_name constant text := (
    select q.name from public.messenger_queues q
    where q.name > p_queue and not q.paused and strpos(q.name, '/') = 0
    order by q.name limit 1
  );
begin
  return coalesce(left(next_name, -1) || chr(ascii(right(next_name, 1)) - 1) || '~', '~');
end
$$;
comment on function messenger.before_open_queue(text) is
  'Part of a claim: a text that sorts behind a queue and all that are paused after it, and in front of the next queue that is not paused.';

create function messenger.is_paused(p_queue text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (select from public.messenger_queues q where q.name = p_queue and q.paused);
end
$$;
comment on function messenger.is_paused(text) is
  'Whether a queue has a row that says that it is paused.';

-- The queues that hold due messages, up to 50 paused ones among them. It walks through the claim's index from the first
-- message of a queue to the first one of the next. So its cost depends on the number of these queues, and neither
-- on messenger_queues nor on the number of messages. Of a queue whose first message is of the future, it reads one
-- message of each priority.
--
-- A queue in `p_last_keys` is returned without a search for its first message: its first messages are gone, and many
-- of their rows may still wait for vacuum. `first_key` is the place in front of the first due message. All lanes of a
-- queue are one step, `in_lanes`, whether or not one of their messages is due.
--
-- `names` are the ends of the stretches that are read, null for the last; reports/ for the lanes of reports. The planner
-- has to see the bounds of the index, so each kind of stretch has a statement. The first 50 queues of a stretch are not
-- asked whether they are paused: to ask costs claims of a few queues more than the reads that it saves.
create function messenger.queues_due(p_queues text[] default null, p_last_keys jsonb default '{}')
returns table (queue text, first_key messenger.claim_key, in_lanes boolean)
language plpgsql
rows 10
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  names text[] := array(select jsonb_object_keys(p_last_keys));
  name text;
  behind text := '';
  found text;
  place messenger.claim_key;
begin
  if p_queues is not null then
    return query select * from messenger.due_among(p_queues, p_last_keys);
    return;
  end if;
  if cardinality(names) > 1 or strpos(names[1], '/') > 0 then
    names := array(
      select distinct case when strpos(k, '/') > 0 then split_part(k, '/', 1) || '/' else k end collate "C" as name
      from unnest(names) as k order by name
    );
  end if;
  foreach name in array names || null::text loop
    for step in 1..2147483647 loop
      if name is not null then
        select m.queue, m.priority, m.available_at, m.id into found, place.priority, place.available_at, place.id
        from messenger.ready_messages m where m.queue > behind and m.queue < name
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      else
        select m.queue, m.priority, m.available_at, m.id into found, place.priority, place.available_at, place.id
        from messenger.ready_messages m where m.queue > behind
        order by m.queue, m.priority desc, m.available_at, m.id limit 1;
      end if;
      exit when found is null;
      in_lanes := strpos(found, '/') > 0;
      queue := case when in_lanes then split_part(found, '/', 1) else found end;
      first_key := case when not in_lanes then messenger.in_front_of(place) end;
      if first_key.available_at > clock then
        first_key := messenger.due_key(queue, first_key);
      end if;
      if in_lanes or first_key.priority is not null then
        return next;
      end if;
      behind := case
        when step > 50 and messenger.is_paused(queue) then messenger.before_open_queue(queue)
        else greatest(case when in_lanes then queue || '/~' end collate "C", found)
      end;
    end loop;
    if name is not null then
      queue := rtrim(name, '/');
      first_key := null;
      in_lanes := right(name, 1) = '/';
      behind := case when in_lanes then name || '~' else name end;
      return next;
    end if;
  end loop;
end
$$;
comment on function messenger.queues_due(text[], jsonb) is
  'Part of a claim: the queues that have due messages, of these or of all, each with a place in front of its first due message; a queue that p_last_keys names comes without a place, and so do the lanes of a queue.';

-- A large claim with a key starts behind the front of the other claims under way, and so passes none of their
-- locked rows. The next head scan finds the messages that those claims leave behind, and the messages that come
-- before a key.
create function messenger.behind_hint(p_queue text, p_behind messenger.claim_key)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  front messenger.claim_key;
begin
  select m.priority, m.available_at, m.id into front
  from public.messenger_messages m
  where m.id = (select f.last_value from messenger.claim_hint f)
    and m.queue = p_queue and m.available_at <= public.messenger_now()
    and (
      m.priority < p_behind.priority
      or m.priority = p_behind.priority and (m.available_at, m.id) > (p_behind.available_at, p_behind.id)
    );
  return case when found then front else p_behind end;
end
$$;
comment on function messenger.behind_hint(text, messenger.claim_key) is
  'Part of a claim: the place of the message that messenger.claim_hint names, if it is due in this queue and behind the given place; else the given place.';

-- Where messenger.lock_due continues: behind the last candidate, if it got all that it asked for; else with the
-- priorities below.
create function messenger.next_key(p_queue text, p_priority smallint, p_last_candidate tid)
returns messenger.claim_key
language plpgsql
set search_path = ''
as $$
declare
  last messenger.claim_key;
begin
  if p_last_candidate is null then
    return messenger.front_key(p_queue, p_priority);
  end if;
  select m.priority, m.available_at, m.id into last
  from public.messenger_messages m where m.ctid = p_last_candidate;
  return last;
end
$$;
comment on function messenger.next_key(text, smallint, tid) is
  'Part of a claim: the place of the last candidate, if one is given; else in front of the first ready message of the priorities below.';

-- Locks up to `p_max_messages` due messages of one queue, in the order priority, due time, id. It walks priority by
-- priority, so that messages of the future, however many, are never read. With `p_last_key`
-- it continues behind that key: rows deleted before it are not read again, which keeps a drain fast while
-- a long transaction holds back vacuum. `p_first_key` is where the queue's first due message is, if that is
-- known. `p_held` are the messages that the claim has already.
--
-- `others` are the transactions under way. The xmax of a row is the transaction that has locked it. A claim compares
-- xmax with `others` to pass over a locked row, which costs half of what `skip locked` needs to try the lock, or less.
-- `skip locked` finds the rows that were locked after `others` was read.
--
-- Even so, each row that another claim has just locked costs 1 us. So a large claim starts behind
-- messenger.claim_hint, where the latest large claim ended. Four workers drained a tenth more when this was measured.
-- A head scan, at most once a second, finds messages that another claim left behind.
--
-- A claim names the rows that it has locked by ctid, their place in the table: no other session moves a locked row.
-- So the claim's update needs no second walk through the primary key, which would cost 1 us a message.
create function messenger.lock_due(
  p_queue text, p_max_messages integer, p_last_key jsonb default null, p_held tid[] default '{}',
  p_first_key messenger.claim_key default null
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  is_large constant boolean := p_max_messages >= 100;
  behind messenger.claim_key := case when p_last_key is null then p_first_key else messenger.place_of(p_last_key) end;
  locked tid[] := array[]::tid[];
  candidates tid[];
  grouped boolean;
  asked integer;
  rounds integer := 0;
  others constant xid[] := array(select pg_snapshot_xip(pg_current_snapshot())::xid);
begin
  -- Each priority is read from its first message on, so that dead rows in front of that message are read only once.
  if behind.priority is null then
    behind := messenger.front_key(p_queue);
  end if;
  if is_large and p_last_key is not null then
    behind := messenger.behind_hint(p_queue, behind);
  end if;

  while behind.priority is not null loop
    asked := p_max_messages - cardinality(locked);
    select array_agg(c.ctid), bool_or(c.group_key is not null) into candidates, grouped
    from (
      select m.ctid, m.group_key from messenger.ready_messages m
      where m.queue = p_queue and m.priority = behind.priority and m.available_at <= clock
        and (m.available_at, m.id) > (behind.available_at, behind.id)
        and (m.xmax = '0' or m.xmax <> all (others))
      order by m.available_at, m.id limit asked
      for update skip locked
    ) as c;
    if grouped then
      locked := locked || messenger.admit_groups(p_queue, candidates, p_held || locked);
      rounds := rounds + 1;
      -- Bounded: a long group that has only just been blocked could need many rounds.
      exit when rounds = 5;
    else
      locked := locked || candidates;
    end if;
    exit when cardinality(locked) >= p_max_messages;
    behind := messenger.next_key(p_queue, behind.priority, candidates[asked]);
  end loop;

  if is_large and cardinality(locked) = p_max_messages then
    perform setval('messenger.claim_hint', m.id)
    from public.messenger_messages m where m.ctid = locked[p_max_messages];
  end if;
  return locked;
end
$$;
comment on function messenger.lock_due(text, integer, jsonb, tid[], messenger.claim_key) is
  'Part of a claim: locks due messages of one queue in claim order, behind a key if one is given, and returns their ctids.';
