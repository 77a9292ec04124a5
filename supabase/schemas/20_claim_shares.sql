-- Sharing out a claim: how many messages of each queue it takes, by weight and within limits.

create type messenger.open_queue as (
  name text,
  weight integer,
  first_key jsonb,
  limited boolean,
  rated boolean,
  room integer
);
comment on type messenger.open_queue is
  'A queue of which a claim may take messages.';
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

-- The queues come in a new random order each time, heavier ones more often first, so that no queue is always the
-- last. `claim` has the settings of the queues, and no messages yet.
create function messenger.open_queues(
  p_queues text[], p_last_keys jsonb,
  out queues messenger.open_queue[], out claim messenger.locked_messages
)
language plpgsql
set search_path = ''
as $$
begin
  claim.locked := '{}';
  claim.bytes := 0;
  claim.oversized := '{}';
  claim.more := false;
  claim.last_keys := p_last_keys;
  select coalesce(array_agg(row(
      q.name, q.weight, q.first_key, q.concurrency is not null or q.rate_limit is not null,
      q.rate_limit is not null, null
    )::messenger.open_queue), '{}'),
    case when count(*) <= 10 then coalesce(array_agg(q.name), '{}') end,
    coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
    coalesce(array_agg(q.name) filter (where q.rate_limit is not null), '{}'),
    coalesce(jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}')
  into queues, claim.queues, claim.counted, claim.rated, claim.leases
  from (
    select d.queue as name, d.first_key, coalesce(o.weight::integer, 1) as weight, o.concurrency,
      o.rate_limit, o.lease_ms
    from messenger.due_queues(p_queues, p_last_keys) d
    left join public.messenger_queues o on o.name = d.queue
    where o.paused is not true and (p_queues is not null or o.runs_on is distinct from 'worker')
    order by ln(1 - random()) / coalesce(o.weight, 1) desc
  ) as q;
end
$$;
comment on function messenger.open_queues(text[], jsonb) is
  'Part of a claim: the queues that have due messages and are not paused, of these or of all but those that run in workers, in a random order by weight.';

-- To find the room of a queue with limits takes a lock, so this is done only if a message waits in the queue.
create function messenger.share_room(p_queue text, p_slots integer) returns integer
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from messenger.ready_messages m where m.queue = p_queue) then
    return messenger.queue_room(p_queue, p_slots);
  end if;
  return 0;
end
$$;
comment on function messenger.share_room(text, integer) is
  'Part of a claim: how many messages the limits of a queue allow it; 0 where none waits.';

-- Expired messages only become dead letters, so they take neither a place nor a start from the others.
create function messenger.use_room(
  p_queue text, p_locked tid[], p_start_window_ms integer, out places integer, out starts integer
)
language plpgsql
set search_path = ''
as $$
begin
  places := (
    select count(*) from public.messenger_messages m
    where m.ctid = any (p_locked) and (m.expires_at <= public.messenger_now()) is not true
  );
  starts := messenger.grant_starts(p_queue, places, p_start_window_ms);
end
$$;
comment on function messenger.use_room(text, tid[], integer) is
  'Part of a claim: how many places of a queue with limits these messages take, and how many starts if it has a rate; it counts the starts.';

-- Locks up to `p_room` due messages of these queues, or of all. Each queue gets its share by weight; what one queue
-- does not use goes to the queues that have more. Queues with a rate give together at most `p_slots`. `p_last_keys`
-- says where the last claim ended in each queue; a queue that comes back short has no key afterwards. Messages that
-- do not fit into `p_max_bytes` stay, and `more` says so; one message comes in any case. Null sets no limit of bytes.
create function messenger.lock_shares(
  p_queues text[], p_room integer, p_slots integer, p_start_window_ms integer, p_last_keys jsonb,
  p_max_bytes bigint default 8388608
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  lock_from constant timestamptz := clock_timestamp();
  opened constant record := messenger.open_queues(p_queues, p_last_keys);
  claim messenger.locked_messages := opened.claim;
  busy messenger.open_queue[] := opened.queues;
  still_busy messenger.open_queue[];
  queue messenger.open_queue;
  share numeric;
  asked integer;
  locked_here tid[];
  fit record;
  used record;
begin
  while p_room > 0 and cardinality(busy) > 0 loop
    still_busy := '{}';
    share := p_room::numeric / (select sum(b.weight) from unnest(busy) as b);
    foreach queue in array busy loop
      exit when p_room = 0;
      if queue.limited and queue.room is null then
        queue.room := messenger.share_room(queue.name, p_slots);
      end if;
      asked := least(p_room, ceil(share * queue.weight), queue.room, case when queue.rated then p_slots end);
      continue when asked <= 0;
      locked_here := messenger.lock_due(queue.name, asked, claim.last_keys -> queue.name, claim.locked, queue.first_key);
      if cardinality(locked_here) > 0 and p_max_bytes is not null then
        fit := messenger.fit_bytes(locked_here, p_max_bytes - claim.bytes, claim.bytes = 0);
        claim.bytes := claim.bytes + fit.bytes;
        claim.oversized := claim.oversized || fit.oversized;
        claim.more := fit.fitting < cardinality(locked_here);
        asked := case when claim.more then fit.fitting else asked end;
        locked_here := locked_here[1:asked];
      end if;
      claim.last_keys := claim.last_keys - queue.name || coalesce((
        select jsonb_build_object(m.queue, jsonb_build_array(m.priority, m.available_at, m.id::text))
        from public.messenger_messages m where m.ctid = locked_here[asked]
      ), '{}');
      if queue.limited then
        used := messenger.use_room(queue.name, locked_here, p_start_window_ms);
        queue.room := queue.room - used.places;
        p_slots := p_slots - used.starts;
      end if;
      if locked_here[asked] is not null then
        still_busy := still_busy || queue;
      end if;
      claim.locked := claim.locked || locked_here;
      p_room := case when claim.more then 0 else p_room - cardinality(locked_here) end;
    end loop;
    busy := still_busy;
  end loop;
  claim.lock_ms := extract(milliseconds from clock_timestamp() - lock_from);
  return claim;
end
$$;
comment on function messenger.lock_shares(text[], integer, integer, integer, jsonb, bigint) is
  'Part of a claim: locks due messages of these queues, or of all, shared out by weight within their limits. Returns them, where it ended in each queue, and whether the bytes ended it.';
