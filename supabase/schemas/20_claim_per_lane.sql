-- The lanes of one queue in a claim. A claim takes as many messages of the queue as its share allows, and divides them
-- among the lanes that have due messages: no lane waits behind the backlog of another.
--
-- If more lanes have due messages than the claim may take, it takes one message of each lane in turn, and notes where
-- it ended: the next claim, of whichever worker, continues with the lane behind. A claim passes at most 1,000 lanes
-- whose messages fall due later. Behind these, the lanes of the messages that have waited longest have their turn. If the
-- oldest 1,000 are of lanes that are paused or full, a claim that has found none reads the oldest 200,000: 3 us for
-- each message of a lane that is paused, 60 ms for 20,000. Behind these, or if there are few lanes, it reads every
-- lane: 7 us a lane. It notes the scan (messenger.lane_scans), so that the next claims read less.

create table messenger.lane_turns (
  queue text collate "C" primary key,
  lane text collate "C" not null
) with (fillfactor = 10);
comment on table messenger.lane_turns is
  'Where the last claim ended in queues with more lanes than a claim takes messages.';
comment on column messenger.lane_turns.queue is
  'Name of the queue, without a lane.';
comment on column messenger.lane_turns.lane is
  'Queue of the last lane that had its turn; the next claim begins behind it.';
alter table messenger.lane_turns enable row level security;

create type messenger.claim_queue as (
  name text,
  weight integer,
  first_key messenger.claim_key,
  limited boolean,
  rated boolean,
  room integer,
  has_own boolean,
  in_lanes boolean,
  lanes_limited boolean
);
comment on type messenger.claim_queue is
  'A queue of which a claim may take messages.';
comment on column messenger.claim_queue.name is
  'Name of the queue, without a lane.';
comment on column messenger.claim_queue.weight is
  'Its share beside the weights of the others.';
comment on column messenger.claim_queue.first_key is
  'A place in front of its first due message; null where the claim starts behind its last key, and for lanes.';
comment on column messenger.claim_queue.limited is
  'It has limits, for itself or for its lanes.';
comment on column messenger.claim_queue.rated is
  'It has a rate among them.';
comment on column messenger.claim_queue.room is
  'How many messages its limits allow; null where it has none, or was not asked yet.';
comment on column messenger.claim_queue.has_own is
  'It has due messages that are in no lane.';
comment on column messenger.claim_queue.in_lanes is
  'It has messages in lanes.';
comment on column messenger.claim_queue.lanes_limited is
  'Each of its lanes has limits.';

create type messenger.due_lane as (
  queue text,
  place messenger.claim_key,
  weight integer,
  room integer,
  last tid
);
comment on type messenger.due_lane is
  'A lane of which a claim may take messages.';
comment on column messenger.due_lane.queue is
  'Queue of its messages.';
comment on column messenger.due_lane.place is
  'The place in front of its first due message.';
comment on column messenger.due_lane.weight is
  'Its share beside the weights of the other lanes.';
comment on column messenger.due_lane.room is
  'How many messages its limits allow; null where it has none.';
comment on column messenger.due_lane.last is
  'Where the last message lies that the claim has taken of it; null if it gave fewer than it was asked for.';

create function messenger.walk_lanes(p_behind text, p_before text, p_most integer)
returns table (queue text, priority smallint, available_at timestamptz, id bigint)
language plpgsql
rows 100
set search_path = ''
as $$
begin
  return query
  with recursive lane (queue, priority, available_at, id) as (
    (
      select m.queue, m.priority, m.available_at, m.id from messenger.ready_messages m
      where m.queue > p_behind and m.queue < p_before
      order by m.queue, m.priority desc, m.available_at, m.id limit 1
    )
    union all
    select n.queue, n.priority, n.available_at, n.id from lane l
    cross join lateral (
      select m.queue, m.priority, m.available_at, m.id from messenger.ready_messages m
      where m.queue > l.queue and m.queue < p_before
      order by m.queue, m.priority desc, m.available_at, m.id limit 1
    ) as n
  )
  select l.queue, l.priority, l.available_at, l.id from lane l limit p_most;
end
$$;
comment on function messenger.walk_lanes(text, text, integer) is
  'The queues between two names that have a ready message, up to a number, each with its first ready message, due or not. One read of an index for each.';

create function messenger.oldest_lanes(p_queue text, p_messages integer, p_except text[]) returns setof text
language plpgsql
rows 1000
set search_path = ''
as $$
begin
  return query
  select w.queue
  from (
    select m.queue, m.available_at from messenger.ready_messages m
    where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
      and m.available_at <= public.messenger_now()
    order by m.available_at limit p_messages
  ) as w
  -- Looked up in a hash table; an array would be read for each row.
  where w.queue not in (select unnest(p_except))
    and (select q.paused from public.messenger_queues q where q.name = w.queue) is not true
  order by w.available_at limit 1000;
end
$$;
comment on function messenger.oldest_lanes(text, integer, text[]) is
  'The lanes of those messages of a queue that have been due for longest, once for each message, up to 1,000 that are neither in the lanes p_except nor paused.';

create function messenger.has_later_in_lanes(
  p_queue text, p_messages integer, p_until timestamptz, p_from timestamptz default '-infinity'
) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return exists (
    select from messenger.ready_messages m
    where split_part(m.queue, '/', 1) = p_queue and strpos(m.queue, '/') > 0
      and m.available_at >= p_from and m.available_at <= p_until
    order by m.available_at offset p_messages limit 1
  );
end
$$;
comment on function messenger.has_later_in_lanes(text, integer, timestamptz, timestamptz) is
  'Whether more than a number of messages in the lanes of a queue fall due between two moments.';

create function messenger.has_many_lanes(p_queue text) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  return (select count(*) = 2000 from messenger.walk_lanes(p_queue || '/', p_queue || '/~', 2000));
end
$$;
comment on function messenger.has_many_lanes(text) is
  'Whether 2,000 lanes of a queue or more have messages: to read each of them then takes longer than to read messages by their time.';

create function messenger.lane_turn(p_queue text) returns text
language plpgsql
set search_path = ''
as $$
begin
  return coalesce((select t.lane from messenger.lane_turns t where t.queue = p_queue), p_queue || '/');
end
$$;
comment on function messenger.lane_turn(text) is
  'Part of a claim: the name behind which the lanes of a queue have their turn.';

-- The stretches of names through which a claim walks, in turn: behind the lane that was served last, then from the
-- first lane to that one. A lane with a key ends a stretch, because its first messages are gone, and many of their
-- rows may still wait for vacuum.
create function messenger.lane_stretches(p_queue text, p_turn text, p_keyed text[])
returns table (behind text, before text)
language plpgsql
rows 2
set search_path = ''
as $$
declare
  stops constant text[] := array(
    select k from unnest(p_keyed || array[p_turn || '!', p_queue || '/~']) as k order by k collate "C"
  );
begin
  return query
  select s.behind, s.before
  from (
    select coalesce(lag(k) over (order by k collate "C"), p_queue || '/') as behind, k as before
    from unnest(stops) as k
  ) as s
  order by s.before collate "C" <= p_turn || '!', s.before collate "C";
end
$$;
comment on function messenger.lane_stretches(text, text, text[]) is
  'Part of a claim: the stretches of names between the lanes with keys, those behind the lane that was served last first.';

create function messenger.to_due_lane(
  p_queue messenger.claim_queue, p_lane text, p_place messenger.claim_key, p_own public.messenger_queues, p_slots integer
) returns messenger.due_lane
language plpgsql
set search_path = ''
as $$
declare
  lane messenger.due_lane;
begin
  if p_own.paused then
    return null;
  end if;
  lane.place := messenger.due_key(p_lane, p_place);
  if (lane.place).priority is null then
    return null;
  end if;
  lane.queue := p_lane;
  lane.weight := coalesce(p_own.weight, 1);
  if strpos(p_lane, '/') > 0
    and (p_queue.lanes_limited or p_own.concurrency is not null or p_own.rate_limit is not null)
  then
    lane.room := messenger.queue_room(p_lane, p_slots);
  end if;
  return case when lane.room = 0 then null else lane end;
end
$$;
comment on function messenger.to_due_lane(
  messenger.claim_queue, text, messenger.claim_key, public.messenger_queues, integer
) is
  'Part of a claim: a lane, whose row is `p_own` if it has one, with its first due message and its room; null if it is paused or full, or has none.';

-- The messages of the queue that are in no lane count as one more lane, which has no row of its own.
create function messenger.known_lanes(
  p_queue messenger.claim_queue, p_queues text[], p_last_keys jsonb, p_slots integer
) returns messenger.due_lane[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select d from (
      select messenger.to_due_lane(
        p_queue, k.queue, k.place,
        (select q from public.messenger_queues q where q.name = nullif(k.queue, p_queue.name)), p_slots
      ) as d
      from (
        select k as queue, messenger.place_of(p_last_keys -> k) as place from jsonb_object_keys(p_last_keys) as k
        where split_part(k, '/', 1) = p_queue.name and messenger.is_among(k, p_queues)
        union all
        select q, messenger.front_key(q)
        from unnest(case when p_queue.has_own then array[p_queue.name] end || p_queues) as q
        where split_part(q, '/', 1) = p_queue.name and not p_last_keys ? q
          and (strpos(q, '/') > 0 or p_queue.has_own)
        group by q
      ) as k
    ) as known
    where (d).queue is not null
  );
end
$$;
comment on function messenger.known_lanes(messenger.claim_queue, text[], jsonb, integer) is
  'Part of a claim: the lanes that have a key in p_last_keys or are named in p_queues, and the messages that are in no lane, where these are due.';

-- Until there is a lane for each message that the claim may take. `p_known` are the lanes that need no search, and
-- `p_keyed` the names that the search leaves out. `last_lane` is the last one that was looked at if there may be more,
-- else null.
create function messenger.due_lanes(
  p_queue messenger.claim_queue, p_turn text, p_known messenger.due_lane[], p_keyed text[], p_max_lanes integer,
  p_slots integer, out lanes messenger.due_lane[], out last_lane text
)
language plpgsql
set search_path = ''
as $$
declare
  left_over integer := 1000;
  asked integer;
  stretch record;
  lane record;
  found messenger.due_lane;
begin
  lanes := p_known;
  for stretch in select * from messenger.lane_stretches(p_queue.name, p_turn, p_keyed) loop
    loop
      asked := least(left_over, p_max_lanes - cardinality(lanes));
      exit when asked <= 0;
      for lane in
        select w.*, (select q from public.messenger_queues q where q.name = w.queue) as own
        from messenger.walk_lanes(stretch.behind, stretch.before, asked) as w
      loop
        left_over := left_over - 1;
        asked := asked - 1;
        stretch.behind := lane.queue;
        last_lane := lane.queue;
        found := messenger.to_due_lane(
          p_queue, lane.queue, messenger.in_front_of(row(lane.priority, lane.available_at, lane.id)), lane.own, p_slots
        );
        if found.queue is not null then
          lanes := lanes || found;
        end if;
      end loop;
      exit when asked > 0;
    end loop;
  end loop;
  if left_over > 0 and cardinality(lanes) < p_max_lanes then
    last_lane := null;
  end if;
end
$$;
comment on function messenger.due_lanes(messenger.claim_queue, text, messenger.due_lane[], text[], integer, integer) is
  'Part of a claim: lanes of a queue that have due messages and room, those that are known first, then the others in turn; and where the next claim begins if not all lanes have had their turn.';

-- Those of the lanes in which the messages wait that have been due for longest, if lanes whose messages fall due later
-- were in the way of them. Where those that have waited longest are paused or full, those of more messages, up to the
-- first 1,000 of lanes that are not paused, and then every lane. Where others are known, only if no scan is of the last
-- 30 s: a scan spares the next claims the read of the full lanes beside them.
create function messenger.waiting_lanes(
  p_queue messenger.claim_queue, p_known text[], p_max_lanes integer, p_slots integer
) returns messenger.due_lane[]
language plpgsql
set search_path = ''
as $$
declare
  -- Once: each call costs microseconds.
  clock constant timestamptz := public.messenger_now();
  noted constant bigint[] := array(select t.id from messenger.lanes_to_scan t where t.queue = p_queue.name limit 10000);
  oldest text[] := array(select messenger.oldest_lanes(p_queue.name, 1000, p_known));
  names text[]; closed text[] := array[]::text[];
  most integer := 1000;
  is_last boolean := false; is_whole boolean;
  waiting messenger.due_lane[];
  writing_since timestamptz;
begin
  loop
    names := array(select distinct o from unnest(oldest) as o);
    waiting := array(
      select d from (
        select messenger.to_due_lane(
          p_queue, n, messenger.front_key(n), (select q from public.messenger_queues q where q.name = n), p_slots
        ) as d
        from unnest(names) as n
      ) as w
      where (d).queue is not null limit p_max_lanes
    );
    is_whole := is_last
      or cardinality(waiting) = 0 and cardinality(oldest) < 1000
        and not messenger.has_later_in_lanes(p_queue.name, most, clock);
    exit when is_whole or cardinality(waiting) > 0 or cardinality(p_known) > 0 and messenger.has_scan(p_queue.name);
    -- Before the scan, because a transaction may commit during it.
    writing_since := least(writing_since, messenger.oldest_write_at());
    closed := closed || names || p_known;
    if most = 1000 and p_queue.lanes_limited then
      closed := closed || array(select f.queue from messenger.full_lanes(p_queue.name) f);
    end if;
    is_last := most > 1000 or not messenger.has_many_lanes(p_queue.name);
    most := 200000;
    oldest := case
      when not is_last then array(select messenger.oldest_lanes(p_queue.name, most, closed))
      else array(
        select f.queue from messenger.lane_fronts(p_queue.name) f
        where f.due_at <= clock and f.queue not in (select unnest(closed)) order by f.due_at
      )
    end;
  end loop;
  if is_last or most > 1000 then
    if not is_whole and not messenger.has_scan(p_queue.name) then
      names := array(select f.queue from messenger.lane_fronts(p_queue.name) f where f.due_at <= clock);
      is_whole := true;
    end if;
    if is_whole then
      perform messenger.note_scan(p_queue.name, clock, closed || names, noted, writing_since);
    end if;
  end if;
  return waiting;
end
$$;
comment on function messenger.waiting_lanes(messenger.claim_queue, text[], integer, integer) is
  'Part of a claim: further lanes, with the messages that have been due for longest.';

create function messenger.lanes_of_scan(
  p_queue messenger.claim_queue, p_lanes text[], p_except text[], p_slots integer
) returns messenger.due_lane[]
language plpgsql
set search_path = ''
as $$
declare
  lanes constant messenger.due_lane[] := array(
    select d from (
      select messenger.to_due_lane(
        p_queue, n, messenger.front_key(n), (select q from public.messenger_queues q where q.name = n), p_slots
      ) as d
      from unnest(p_lanes) as n where n not in (select unnest(p_except))
    ) as w
    where (d).queue is not null
  );
begin
  perform messenger.tidy_lanes(p_queue.name, array(
    select n.lane from (
      select t.lane from messenger.lanes_to_scan t
      where t.queue = p_queue.name and t.opens_at <= public.messenger_now() order by t.opens_at limit 2000
    ) as n
    where n.lane not in (select (l).queue from unnest(lanes) as l) and n.lane not in (select unnest(p_except))
  ));
  return lanes;
end
$$;
comment on function messenger.lanes_of_scan(messenger.claim_queue, text[], text[], integer) is
  'Part of a claim: those of the lanes that lanes_since_scan() has given that have due messages and room. Of the other lanes that lanes_to_scan names, those that are paused or have none are deleted, and those that are full wait.';

-- A second round of a claim finds the messages of the first in front of the others, and continues behind them.
create function messenger.held_keys(p_queue text, p_held tid[]) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  if p_held = '{}' then
    return '{}'::jsonb;
  end if;
  return (
    select coalesce(jsonb_object_agg(k.queue, k.key), '{}') from (
      select m.queue, (array_agg(
        jsonb_build_array(m.priority, m.available_at, m.id::text) order by m.priority, m.available_at desc, m.id desc
      ))[1] as key
      from public.messenger_messages m where m.ctid = any (p_held) and split_part(m.queue, '/', 1) = p_queue
      group by m.queue
    ) as k
  );
end
$$;
comment on function messenger.held_keys(text, tid[]) is
  'Part of a claim: the key of the last message of each lane that the claim has locked in an earlier round.';

create function messenger.has_due_behind(p_queue text, p_place messenger.claim_key) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
begin
  return exists (
    select from messenger.ready_messages m
    where m.queue = p_queue and m.priority = p_place.priority
      and (m.available_at, m.id) > (p_place.available_at, p_place.id) and m.available_at <= clock
  ) or (messenger.due_key(p_queue, messenger.front_key(p_queue, p_place.priority))).priority is not null;
end
$$;
comment on function messenger.has_due_behind(text, messenger.claim_key) is
  'Part of a claim: whether a due message of a queue is behind a place.';

-- `p_queues` limits the search to lanes that it names, unless it names the queue. The lanes that have had messages in an
-- earlier round come last.
create function messenger.find_lanes(
  p_queue messenger.claim_queue, p_queues text[], p_turn text, p_last_keys jsonb, p_held tid[], p_max_lanes integer,
  p_slots integer, out lanes messenger.due_lane[], out last_lane text
)
language plpgsql
set search_path = ''
as $$
declare
  held constant jsonb := messenger.held_keys(p_queue.name, p_held);
  again constant messenger.due_lane[] := case when held = '{}' then '{}' else array(
    select k from unnest(messenger.known_lanes(p_queue, array(select jsonb_object_keys(held)), held, p_slots)) as k
    where messenger.has_due_behind((k).queue, (k).place)
  ) end;
  known constant messenger.due_lane[] := array(
    select k from unnest(messenger.known_lanes(p_queue, p_queues, p_last_keys, p_slots)) as k
    where not held ? (k).queue
  );
  keyed constant text[] := array(
    select k from jsonb_object_keys(p_last_keys || held) as k where starts_with(k, p_queue.name || '/')
  );
  since_scan text[];
  is_cut boolean;
begin
  lanes := known;
  if messenger.is_among(p_queue.name, p_queues) then
    since_scan := messenger.lanes_since_scan(p_queue.name);
    if since_scan is not null then
      lanes := known || messenger.lanes_of_scan(p_queue, since_scan, keyed, p_slots);
    else
      select d.lanes, d.last_lane into lanes, last_lane
      from messenger.due_lanes(p_queue, p_turn, known, keyed, p_max_lanes, p_slots) as d;
    end if;
  end if;
  if last_lane is not null and cardinality(lanes) < p_max_lanes then
    lanes := lanes || messenger.waiting_lanes(
      p_queue, array(select (k).queue from unnest(lanes || again) as k), p_max_lanes - cardinality(lanes), p_slots
    );
  end if;
  is_cut := last_lane is null and cardinality(lanes) > p_max_lanes;
  lanes := messenger.beside_claimed(lanes, again, p_held, p_turn);
  if is_cut then
    last_lane := coalesce(nullif((lanes[p_max_lanes]).queue, p_queue.name), p_queue.name || '/');
  end if;
end
$$;
comment on function messenger.find_lanes(
  messenger.claim_queue, text[], text, jsonb, tid[], integer, integer
) is
  'Part of a claim: the lanes of a queue of which it takes messages, in turn, and where the next claim begins if not all lanes have had their turn.';

-- Each lane gets one message; the rest goes where a share by weight is larger than that, and what fractions leave to the
-- largest of them. Rounding each share up would give nothing to the last lanes, at every claim.
create function messenger.share_lanes(p_lanes messenger.due_lane[], p_max_messages integer)
returns table (lane messenger.due_lane, asked integer)
language plpgsql
rows 100
set search_path = ''
as $$
declare
  rest constant integer := greatest(p_max_messages - cardinality(p_lanes), 0);
  weights constant numeric := (select sum((l).weight) from unnest(p_lanes) as l);
begin
  return query
  select p.lane, least((p.lane).room, 1 + floor(p.more)::integer + (p.place <= rest - p.given)::integer)
  from (
    select s.*, row_number() over (order by s.more - floor(s.more) desc, s.nth) as place, sum(floor(s.more)) over () as given
    from (
      select w.lane, w.nth, coalesce(rest * w.missing / nullif(sum(w.missing) over (), 0), 0) as more
      from (
        select row(l.queue, l.place, l.weight, l.room, l.last)::messenger.due_lane as lane, l.nth,
          greatest(p_max_messages * l.weight / weights - 1, 0) as missing
        from unnest(p_lanes) with ordinality as l (queue, place, weight, room, last, nth)
      ) as w
    ) as s
  ) as p
  where p.nth <= p_max_messages
  order by p.nth;
end
$$;
comment on function messenger.share_lanes(messenger.due_lane[], integer) is
  'Part of a claim: how many messages it asks of each lane, by weight.';

-- One statement locks the first messages of all lanes: where each lane gives one message, a call for each lane would
-- cost more than the rest of the claim.
create function messenger.lock_first_of_lanes(
  p_lanes messenger.due_lane[], p_max_messages integer, p_held tid[],
  out locked tid[], out busy messenger.due_lane[]
)
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  others constant xid[] := array(select pg_snapshot_xip(pg_current_snapshot())::xid);
  taken record;
  lane messenger.due_lane;
begin
  locked := '{}';
  busy := '{}';
  for taken in
    select s.lane, s.asked, c.candidates, c.grouped
    from messenger.share_lanes(p_lanes, p_max_messages) s
    cross join lateral (
      select coalesce(array_agg(r.ctid), '{}') as candidates, bool_or(r.group_key is not null) as grouped
      from (
        select m.ctid, m.group_key from messenger.ready_messages m
        where m.queue = (s.lane).queue and m.priority = ((s.lane).place).priority and m.available_at <= clock
          and (m.available_at, m.id) > (((s.lane).place).available_at, ((s.lane).place).id)
          and (m.xmax = '0' or m.xmax <> all (others))
        order by m.available_at, m.id limit s.asked
        for update skip locked
      ) as r
    ) as c
  loop
    lane := taken.lane;
    lane.last := taken.candidates[taken.asked];
    if taken.grouped then
      taken.candidates := messenger.admit_groups(lane.queue, taken.candidates, p_held || locked);
    end if;
    lane.room := lane.room - cardinality(taken.candidates);
    locked := locked || taken.candidates;
    busy := busy || lane;
  end loop;
end
$$;
comment on function messenger.lock_first_of_lanes(messenger.due_lane[], integer, tid[]) is
  'Part of a claim: locks the share of each lane, of the priority of its first due message, and returns where each lane continues.';

-- The lanes, each once, with the room that is left beside the messages that the claim has already.
create function messenger.beside_claimed(
  p_lanes messenger.due_lane[], p_again messenger.due_lane[], p_held tid[], p_turn text
) returns messenger.due_lane[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select row(l.queue, l.place, l.weight, l.room - coalesce(h.number, 0), l.last)::messenger.due_lane
    from (
      select distinct on (k.queue) *
      from unnest(p_lanes || p_again) with ordinality as k (queue, place, weight, room, last, nth)
      order by k.queue, k.nth
    ) as l
    left join (
      select m.queue, count(*)::integer as number from public.messenger_messages m where m.ctid = any (p_held) group by m.queue
    ) as h on h.queue = l.queue
    where (l.room - coalesce(h.number, 0) > 0) is not false
    order by l.nth > cardinality(p_lanes), l.queue collate "C" <= p_turn, l.queue collate "C"
  );
end
$$;
comment on function messenger.beside_claimed(messenger.due_lane[], messenger.due_lane[], tid[], text) is
  'Part of a claim: each lane once, in turn, those of an earlier round last, with its room beside what the claim has locked before.';

-- Lane by lane in turns: a claim that is cut at its size takes something of each.
create function messenger.in_turns(p_locked tid[]) returns tid[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select l.place
    from (
      select k.place, k.nth, row_number() over (partition by m.queue order by k.nth) as turn
      from unnest(p_locked) with ordinality as k (place, nth)
      join public.messenger_messages m on m.ctid = k.place
    ) as l
    order by l.turn, l.nth
  );
end
$$;
comment on function messenger.in_turns(tid[]) is
  'Part of a claim: locked messages of lanes, one of each lane after the other.';

create function messenger.lock_lanes(
  p_queue messenger.claim_queue, p_queues text[], p_max_messages integer, p_slots integer, p_last_keys jsonb,
  p_held tid[], p_turns jsonb, out locked tid[], out turns jsonb
)
language plpgsql
set search_path = ''
as $$
declare
  found constant record := messenger.find_lanes(
    p_queue, p_queues, coalesce(p_turns ->> p_queue.name, messenger.lane_turn(p_queue.name)), p_last_keys, p_held,
    p_max_messages, p_slots
  );
  first record;
  busy messenger.due_lane[];
  still_busy messenger.due_lane[];
  lane messenger.due_lane;
  share numeric;
  asked integer;
  locked_here tid[];
begin
  turns := coalesce(p_turns, '{}') || jsonb_strip_nulls(jsonb_build_object(p_queue.name, found.last_lane));
  first := messenger.lock_first_of_lanes(found.lanes, p_max_messages, p_held);
  locked := first.locked;
  busy := first.busy;
  -- The share that some lanes do not use goes to the others. Bounded: a long group could need many rounds.
  for round in 1..5 loop
    exit when cardinality(locked) >= p_max_messages or cardinality(busy) = 0;
    share := (p_max_messages - cardinality(locked))::numeric / (select sum((l).weight) from unnest(busy) as l);
    still_busy := '{}';
    foreach lane in array busy loop
      asked := least(p_max_messages - cardinality(locked), ceil(share * lane.weight), lane.room);
      exit when cardinality(locked) >= p_max_messages;
      lane.place := messenger.next_key(lane.queue, (lane.place).priority, lane.last);
      continue when asked <= 0 or (lane.place).priority is null;
      locked_here := messenger.lock_due(lane.queue, asked, null, p_held || locked, lane.place);
      locked := locked || locked_here;
      lane.last := locked_here[asked];
      lane.room := lane.room - cardinality(locked_here);
      if lane.last is not null then
        still_busy := still_busy || lane;
      end if;
    end loop;
    busy := still_busy;
  end loop;
  locked := messenger.in_turns(locked);
end
$$;
comment on function messenger.lock_lanes(messenger.claim_queue, text[], integer, integer, jsonb, tid[], jsonb) is
  'Part of a claim: locks due messages of the lanes of one queue, shared out by weight within the limits of each lane, and returns their ctids, and the turns of the claim with the lane that had its turn last, by the queue, if not all had it.';

-- Writers hold the lock of the queue, so that none waits for another; one that does not get it leaves the turn as it is.
create function messenger.note_turn(p_queue text, p_lane text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if pg_try_advisory_xact_lock(messenger.queue_lock(p_queue)) then
    insert into messenger.lane_turns as t (queue, lane) values (p_queue, p_lane)
    on conflict on constraint lane_turns_pkey do update set lane = excluded.lane;
  end if;
end
$$;
comment on function messenger.note_turn(text, text) is
  'Part of a claim: notes the lane behind which the next claim of a queue begins.';

-- Only lanes of which the claim has taken several messages get a key: each key makes the next claim longer, and saves
-- it the rows that were in front of it.
create function messenger.lane_keys(p_last_keys jsonb, p_names text[], p_locked tid[]) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_object_agg(k.key, k.value), '{}') from jsonb_each(p_last_keys) as k
    where split_part(k.key, '/', 1) <> all (p_names)
  ) || (
    select coalesce(jsonb_object_agg(k.queue, k.key), '{}') from (
      select m.queue, (array_agg(
        jsonb_build_array(m.priority, m.available_at, m.id::text) order by m.priority, m.available_at desc, m.id desc
      ))[1] as key
      from public.messenger_messages m where m.ctid = any (p_locked) and split_part(m.queue, '/', 1) = any (p_names)
      group by m.queue having count(*) >= 10
    ) as k
  );
end
$$;
comment on function messenger.lane_keys(jsonb, text[], tid[]) is
  'Part of a claim: the keys behind which the next claim continues, those of the lanes of these queues made again.';

-- Where bytes ended the claim, the lanes of the messages that it had to leave come next.
create function messenger.turns_of(p_claim messenger.locked_messages, p_turns jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  last constant text := (
    select m.queue from public.messenger_messages m
    where p_claim.more and m.ctid = p_claim.locked[cardinality(p_claim.locked)]
  );
begin
  if not p_claim.more then
    return p_turns;
  end if;
  -- A queue that gave nothing has had no turn.
  return (
    select coalesce(jsonb_object_agg(t.key, t.value), '{}') from jsonb_each(p_turns) as t
    where exists (
      select from public.messenger_messages m
      where m.ctid = any (p_claim.locked) and split_part(m.queue, '/', 1) = t.key
    )
  ) || jsonb_build_object(split_part(last, '/', 1), case when strpos(last, '/') > 0 then last else last || '/' end);
end
$$;
comment on function messenger.turns_of(messenger.locked_messages, jsonb) is
  'Part of a claim: the lanes behind which the next claim begins, by their queue, of those where lanes ended the turn of this one.';

create function messenger.with_lanes(
  p_claim messenger.locked_messages, p_queues messenger.claim_queue[], p_turns jsonb
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  names constant text[] := array(select q.name from unnest(p_queues) as q where q.in_lanes);
  turn record;
  lane record;
begin
  p_claim.last_keys := messenger.lane_keys(p_claim.last_keys, names, p_claim.locked);
  for lane in
    select m.queue, q.limited, q.rated, q.name from (
      select distinct l.queue from public.messenger_messages l where l.ctid = any (p_claim.locked)
    ) as m
    join unnest(p_queues) as q on q.name = split_part(m.queue, '/', 1)
    where strpos(m.queue, '/') > 0 and (q.limited or q.rated or p_claim.leases ? q.name)
  loop
    p_claim.counted := p_claim.counted || case when lane.limited then array[lane.queue] end;
    p_claim.rated := p_claim.rated || case when lane.rated then array[lane.queue] end;
    p_claim.leases := p_claim.leases || jsonb_strip_nulls(jsonb_build_object(lane.queue, p_claim.leases -> lane.name));
  end loop;
  for turn in
    select t.key as queue, t.value as lane from jsonb_each_text(messenger.turns_of(p_claim, p_turns)) as t
    where t.key = any (names)
  loop
    perform messenger.note_turn(turn.queue, turn.lane);
    p_claim.more := p_claim.more or cardinality(p_claim.locked) > 0;
  end loop;
  return p_claim;
end
$$;
comment on function messenger.with_lanes(messenger.locked_messages, messenger.claim_queue[], jsonb) is
  'Part of a claim: it, with the settings of the lanes whose messages it has taken and where the next claim continues; it says that there may be more if not all lanes had their turn.';
