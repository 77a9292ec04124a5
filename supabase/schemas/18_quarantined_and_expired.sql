-- Messages that a claim takes besides due ones in order: one quarantined message, and messages past their
-- time to live. And how many bytes a claim may hand out.

-- Bytes that a stored value takes when it is read. The header of an uncompressed value has its size. A compressed
-- value may be a hundred times as long as its stored form, so it is decompressed: `#> '{}'` does that and no more.
create function messenger.stored_bytes(p_value jsonb) returns bigint
language sql immutable parallel safe
set search_path = ''
as $$
  select case
    when p_value is null then 0
    when pg_column_compression(p_value) is null then pg_column_size(p_value)
    else pg_column_size(p_value #> '{}')
  end
$$;
comment on function messenger.stored_bytes(jsonb) is
  'Bytes of a stored JSON value, uncompressed; 0 for null.';

-- How many of these locked messages, from the first on, have together at most `p_max_bytes`. With `p_at_least_one`
-- the first one always fits. `oversized` names the messages that no worker can take. They count no bytes, because a
-- claim hands them out without their payload.
create function messenger.fit_bytes(
  p_candidates tid[], p_max_bytes bigint, p_at_least_one boolean,
  out fitting integer, out bytes bigint, out oversized tid[]
)
language plpgsql
set search_path = ''
as $$
declare
  -- Twice what may be written: only a write that bypassed the check makes a message this large.
  too_many constant bigint := 16777216;
  -- No compression that Postgres has makes values this many times smaller.
  strongest_compression constant integer := 256;
  candidate tid;
  size bigint;
begin
  oversized := '{}';
  fitting := cardinality(p_candidates);
  -- Nearly always the upper bound is small, and no value has to be decompressed.
  select coalesce(sum(
    case
      when pg_column_compression(m.payload) is null then pg_column_size(m.payload)
      else pg_column_size(m.payload) * strongest_compression
    end
      -- Members of batches have small stamps, which are not compressed: to multiply those would measure each row.
      + case
        when m.stamps is null then 0
        when pg_column_compression(m.stamps) is null then pg_column_size(m.stamps)
        else pg_column_size(m.stamps) * strongest_compression
      end
  ), 0)
  into bytes from public.messenger_messages m where m.ctid = any (p_candidates);
  if bytes <= p_max_bytes / 16 then
    return;
  end if;
  -- Without a compressed value it is no bound but the size, found for 0.2 us a message. To measure each takes 10.
  if bytes <= least(p_max_bytes, too_many) and not exists (
    select from public.messenger_messages m
    where m.ctid = any (p_candidates)
      and (pg_column_compression(m.payload) is not null or pg_column_compression(m.stamps) is not null)
  ) then
    return;
  end if;

  bytes := 0;
  fitting := 0;
  foreach candidate in array p_candidates loop
    select messenger.stored_bytes(m.payload) + messenger.stored_bytes(m.stamps)
    into size from public.messenger_messages m where m.ctid = candidate;
    if size > too_many then
      oversized := oversized || candidate;
    elsif bytes + size > p_max_bytes and not (p_at_least_one and bytes = 0) then
      exit;
    else
      bytes := bytes + size;
    end if;
    fitting := fitting + 1;
  end loop;
end
$$;
comment on function messenger.fit_bytes(tid[], bigint, boolean) is
  'Part of a claim: how many of the locked messages fit into p_max_bytes, the size of these or an upper bound of it, and which of them no worker can take.';

-- From the first message of a queue to that of the next: a queue that is paused or full may have any number of them.
create function messenger.quarantined_fronts() returns table (queue text, available_at timestamptz)
language plpgsql stable
rows 10
set search_path = ''
as $$
begin
  return query
  with recursive front (queue, available_at) as (
    (
      select m.queue, m.available_at from messenger.quarantined_messages m
      order by m.queue, m.available_at limit 1
    )
    union all
    select n.queue, n.available_at from front f
    cross join lateral (
      select m.queue, m.available_at from messenger.quarantined_messages m
      where m.queue > f.queue
      order by m.queue, m.available_at limit 1
    ) as n
  )
  select f.queue, f.available_at from front f;
end
$$;
comment on function messenger.quarantined_fronts() is
  'Queues and lanes with quarantined messages, each with the time at which its first one falls due. One read of an index for each.';

-- Locks one quarantined message.
create function messenger.lock_quarantined(
  p_queues text[] default null, p_slots integer default null
) returns tid[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  name text;
  candidate record;
begin
  for name in
    select f.queue from messenger.quarantined_fronts() f
    where f.available_at <= clock
      and messenger.is_open(f.queue, p_queues)
      and messenger.queue_opens_at(f.queue) is null
    order by f.available_at
    limit 10
  loop
    for candidate in
      select m.ctid, m.group_key from messenger.quarantined_messages m
      where m.queue = name and m.available_at <= clock
      order by m.available_at, m.id
      limit 10
      for update skip locked
    loop
      continue when candidate.group_key is not null and cardinality(
        messenger.admit_groups(name, array[candidate.ctid], '{}')
      ) = 0;
      -- The limits come last, because room that this claim takes and does not use is kept from other claims.
      exit when messenger.queue_room(name, p_slots) = 0;
      exit when strpos(name, '/') > 0 and messenger.queue_room(split_part(name, '/', 1), p_slots) = 0;
      return array[candidate.ctid];
    end loop;
  end loop;
  return array[]::tid[];
end
$$;
comment on function messenger.lock_quarantined(text[], integer) is
  'Part of a claim: locks one quarantined message of these queues, or of all, that groups and limits let start, and returns its ctid in an array; empty if there is none.';

-- Locks up to `p_max_messages` pending messages of these queues, or of all, that are older than their ttl, as many as
-- fit into `p_max_bytes`; null sets no limit of bytes. These messages do not run, so neither a pause nor a limit nor
-- quarantine holds them back. It passes over at most 10,000 expired messages of other queues.
create function messenger.lock_past_ttl(
  p_queues text[], p_max_messages integer, p_max_bytes bigint,
  out locked tid[], out bytes bigint, out oversized tid[]
)
language plpgsql
set search_path = ''
as $$
declare
  fit record;
begin
  bytes := 0;
  oversized := '{}';
  locked := array(
    select m.ctid from public.messenger_messages m
    where m.id = any (array(
        select e.id
        from (
          select x.id, x.queue from public.messenger_messages x
          where x.expires_at <= public.messenger_now() and x.status = 'pending'
            and not x.blocked and not x.heartbeated
          order by x.expires_at limit 10000
        ) as e
        where p_queues is null or messenger.is_among(e.queue, p_queues)
        limit p_max_messages
      ))
      and m.expires_at <= public.messenger_now() and m.status = 'pending' and not m.blocked
    for update skip locked
  );
  -- A message that is blocked behind another of its group stays blocked.
  if exists (
    select from public.messenger_messages m where m.ctid = any (locked) and m.group_key is not null
  ) then
    locked := array(
      select m.ctid from public.messenger_messages m
      where m.ctid = any (locked) and (
        m.group_key is null
        or cardinality(messenger.admit_groups(m.queue, array[m.ctid], '{}')) > 0
      )
    );
  end if;
  if cardinality(locked) > 0 and p_max_bytes is not null then
    fit := messenger.fit_bytes(locked, p_max_bytes, true);
    locked := locked[1:fit.fitting];
    bytes := fit.bytes;
    oversized := fit.oversized;
  end if;
end
$$;
comment on function messenger.lock_past_ttl(text[], integer, bigint) is
  'Part of a claim: locks messages that are older than their ttl, whatever else holds them back, and returns where they lie, their bytes, and which of them no worker can take.';
