-- Sharing out a claim: how many messages of each queue it takes, by weight and within limits.

-- One queue for its own messages and those in its lanes. Whether its lanes have limits is asked here, and not for each
-- claim: nearly always there are no lanes.
create function messenger.join_lanes(p_queues messenger.claim_queue[]) returns messenger.claim_queue[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select row(
      q.name, q.weight, q.first_key, q.limited or l.limited, q.rated or l.rated, null, q.has_own, q.in_lanes, l.limited
    )::messenger.claim_queue
    from (
      select d.name, d.weight, (array_agg(d.first_key) filter (where d.has_own))[1] as first_key, d.limited, d.rated,
        bool_or(d.has_own) as has_own, bool_or(d.in_lanes) as in_lanes, min(d.nth) as nth
      from (
        select f.*, k.nth
        from generate_subscripts(p_queues, 1) as k (nth) cross join lateral unnest(p_queues[k.nth:k.nth]) as f
      ) as d
      group by d.name, d.weight, d.limited, d.rated
    ) as q
    left join lateral (
      select s.lane_concurrency, s.lane_rate_limit from public.messenger_queues s where s.name = q.name offset 0
    ) as o on true
    cross join lateral (
      select q.in_lanes and (o.lane_concurrency is not null or o.lane_rate_limit is not null or r.own or exists (
          select from public.messenger_queues c
          where c.name > q.name || '/' and c.name < q.name || '/~' and c.concurrency is not null
        )) as limited,
        q.in_lanes and (o.lane_rate_limit is not null or r.own) as rated
      from (
        select q.in_lanes and exists (
          select from public.messenger_queues c
          where c.name > q.name || '/' and c.name < q.name || '/~' and c.rate_limit is not null
        ) as own
      ) as r
    ) as l
    order by q.nth
  );
end
$$;
comment on function messenger.join_lanes(messenger.claim_queue[]) is
  'Part of a claim: the queues, each once, with the limits of their lanes.';

-- The queues come in a new random order each time, heavier ones more often first, so that no queue is always the
-- last. `claim` has the settings of the queues, and no messages yet.
create function messenger.open_queues(
  p_queues text[], p_last_keys jsonb,
  out queues messenger.claim_queue[], out claim messenger.locked_messages
)
language plpgsql
set search_path = ''
as $$
declare
  has_lanes boolean;
begin
  claim.locked := '{}';
  claim.bytes := 0;
  claim.oversized := '{}';
  claim.more := false;
  claim.last_keys := p_last_keys;
  select coalesce(array_agg(row(
      q.name, q.weight, q.first_key, q.concurrency is not null or q.rate_limit is not null, q.rate_limit is not null,
      null, not q.in_lanes, q.in_lanes, false
    )::messenger.claim_queue), '{}'),
    case when count(*) <= 10 then coalesce(array_agg(q.name), '{}') end,
    coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
    coalesce(array_agg(q.name) filter (where q.rate_limit is not null), '{}'),
    coalesce(jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}'),
    bool_or(q.in_lanes)
  into queues, claim.queues, claim.counted, claim.rated, claim.leases, has_lanes
  from (
    select d.queue as name, d.first_key, d.in_lanes, coalesce(o.weight::integer, 1) as weight, o.concurrency,
      o.rate_limit, o.lease_ms
    from messenger.queues_due(p_queues, p_last_keys) d
    -- "offset 0" has each queue looked up by its name. A join may be planned as a read of all queues, and that plan kept
    -- from a time when there were few.
    left join lateral (
      select s.paused, s.runs_on, s.weight, s.concurrency, s.rate_limit, s.lease_ms
      from public.messenger_queues s where s.name = d.queue offset 0
    ) as o on true
    where o.paused is not true and (p_queues is not null or o.runs_on is distinct from 'worker')
    order by ln(1 - random()) / coalesce(o.weight, 1) desc
  ) as q;
  if has_lanes then
    queues := messenger.join_lanes(queues);
  end if;
end
$$;
comment on function messenger.open_queues(text[], jsonb) is
  'Part of a claim: the queues that have due messages and are not paused, of these or of all but those that run in workers, in a random order by weight.';

-- To find the room of a queue with limits takes a lock, so this is done only if a message waits in the queue.
create function messenger.share_room(p_queue messenger.claim_queue, p_slots integer) returns integer
language plpgsql
set search_path = ''
as $$
begin
  if p_queue.in_lanes or exists (select from messenger.ready_messages m where m.queue = p_queue.name) then
    return messenger.queue_room(p_queue.name, p_slots);
  end if;
  return 0;
end
$$;
comment on function messenger.share_room(messenger.claim_queue, integer) is
  'Part of a claim: how many messages the limits of a queue as a whole allow it; 0 where none waits.';

-- Expired messages only become dead letters, so they take neither a place nor a start from the others.
create function messenger.use_room(
  p_queue messenger.claim_queue, p_locked tid[], p_start_window_ms integer, out places integer, out starts integer
)
language plpgsql
set search_path = ''
as $$
begin
  places := (
    select count(*) from public.messenger_messages m
    where m.ctid = any (p_locked) and (m.expires_at <= public.messenger_now()) is not true
  );
  starts := case when p_queue.rated then places else 0 end;
  perform messenger.grant_starts(p_queue.name, places, p_start_window_ms);
  if p_queue.in_lanes and p_queue.rated then
    perform messenger.grant_starts(l.queue, l.number, p_start_window_ms)
    from (
      select m.queue, count(*)::integer as number from public.messenger_messages m
      where m.ctid = any (p_locked) and strpos(m.queue, '/') > 0
        and (m.expires_at <= public.messenger_now()) is not true
      group by m.queue
    ) as l;
  end if;
end
$$;
comment on function messenger.use_room(messenger.claim_queue, tid[], integer) is
  'Part of a claim: how many places of a queue with limits these messages take, and how many starts if it or its lanes have a rate; it counts the starts.';

create function messenger.keys_behind(p_last_keys jsonb, p_queue text, p_last tid) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return p_last_keys - p_queue || coalesce((
    select jsonb_build_object(m.queue, jsonb_build_array(m.priority, m.available_at, m.id::text))
    from public.messenger_messages m where m.ctid = p_last
  ), '{}');
end
$$;
comment on function messenger.keys_behind(jsonb, text, tid) is
  'Part of a claim: the keys with that of a queue behind a message; without one if the message is null.';

-- Locks up to `p_room` due messages of these queues, or of all. Each queue gets its share by weight; what one queue
-- does not use goes to the queues that have more. The lanes of a queue share among themselves; `lane_turns` is null until
-- the claim meets one. Queues with a rate give together at most `p_slots`. `p_last_keys` says where the last claim ended
-- in each queue; a queue that comes back short has no key afterwards. Messages that do not fit into `p_max_bytes` stay,
-- and `more` says so; one message comes in any case. Null sets no limit of bytes.
create function messenger.lock_shares(
  p_queues text[], p_room integer, p_slots integer, p_start_window_ms integer, p_last_keys jsonb, p_max_bytes bigint default 8388608
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  lock_from constant timestamptz := clock_timestamp();
  opened constant record := messenger.open_queues(p_queues, p_last_keys);
  claim messenger.locked_messages := opened.claim;
  busy messenger.claim_queue[] := opened.queues;
  still_busy messenger.claim_queue[];
  queue messenger.claim_queue;
  share numeric;
  asked integer;
  locked_here tid[];
  lane_turns jsonb;
  used record;
begin
  while p_room > 0 and cardinality(busy) > 0 loop
    still_busy := '{}';
    share := p_room::numeric / (select sum(b.weight) from unnest(busy) as b);
    foreach queue in array busy loop
      exit when p_room = 0;
      queue.room := coalesce(queue.room, case when queue.limited then messenger.share_room(queue, p_slots) end);
      asked := least(p_room, ceil(share * queue.weight), queue.room, case when queue.rated then p_slots end);
      continue when asked <= 0;
      if queue.in_lanes then
        select l.locked, l.turns into locked_here, lane_turns
        from messenger.lock_lanes(queue, p_queues, asked, p_slots, claim.last_keys, claim.locked, lane_turns) as l;
      else
        locked_here := messenger.lock_due(queue.name, asked, claim.last_keys -> queue.name, claim.locked, queue.first_key);
      end if;
      if cardinality(locked_here) > 0 and p_max_bytes is not null then
        used := messenger.fit_bytes(locked_here, p_max_bytes - claim.bytes, claim.bytes = 0);
        claim.bytes := claim.bytes + used.bytes;
        claim.oversized := claim.oversized || used.oversized;
        claim.more := used.fitting < cardinality(locked_here);
        asked := case when claim.more then used.fitting else asked end;
        locked_here := locked_here[1:asked];
      end if;
      claim.last_keys := messenger.keys_behind(claim.last_keys, queue.name, locked_here[asked]);
      if queue.limited then
        used := messenger.use_room(queue, locked_here, p_start_window_ms);
        queue.room := queue.room - used.places;
        p_slots := p_slots - used.starts;
      end if;
      still_busy := still_busy || case when locked_here[asked] is not null then array[queue] end;
      claim.locked := claim.locked || locked_here;
      p_room := case when claim.more then 0 else p_room - cardinality(locked_here) end;
    end loop;
    busy := still_busy;
  end loop;
  claim.lock_ms := extract(milliseconds from clock_timestamp() - lock_from);
  if lane_turns is not null then
    return messenger.with_lanes(claim, opened.queues, lane_turns);
  end if;
  return claim;
end
$$;
comment on function messenger.lock_shares(text[], integer, integer, integer, jsonb, bigint) is
  'Part of a claim: locks due messages of these queues, or of all, shared out by weight within their limits. Returns them, where it ended in each queue, and whether the bytes ended it.';

-- Of 0.1.0. A claim whose session has read open_queues() of 0.1.0 and then waited for the upgrade continues with that body
-- on this schema. It still finds this type and this function, which has its worker repeat the claim.
create type messenger.open_queue as (
  name text,
  weight integer,
  first_key jsonb,
  limited boolean,
  rated boolean,
  room integer
);
comment on type messenger.open_queue is
  'Of 0.1.0, for claims that began before the upgrade.';
comment on column messenger.open_queue.name is
  'Name of the queue.';
comment on column messenger.open_queue.weight is
  'Its share beside the weights of the others.';
comment on column messenger.open_queue.first_key is
  'A key in front of its first due message; null where the claim starts behind its last key.';
comment on column messenger.open_queue.limited is
  'It has limits.';
comment on column messenger.open_queue.rated is
  'It has a rate among them.';
comment on column messenger.open_queue.room is
  'How many messages its limits allow; null where it has none, or was not asked yet.';

create function messenger.due_queues(
  p_queues text[] default null, p_last_keys jsonb default '{}'
) returns table (queue text, first_key jsonb)
language plpgsql
rows 10
set search_path = ''
as $$
begin
  queue := p_queues[1];
  first_key := p_last_keys -> queue;
  raise exception 'claim: the schema was upgraded meanwhile; repeat the call'
    using errcode = 'PT503', detail = format('The claim is of 0.1.0, of the queue %s behind %s.', queue, first_key);
end
$$;
comment on function messenger.due_queues(text[], jsonb) is
  'Of 0.1.0, for claims that began before the upgrade: it tells their workers to repeat them.';
