-- Claiming: due messages of the wanted queues are locked, leased and handed out as one jsonb.
-- Claims of many sessions are disjoint (SKIP LOCKED); every claim has its token.

-- The ids of up to `max_messages` due messages of one queue, locked, in the order priority, due time,
-- id. It walks rank by rank, so that messages of the future, however many, are never read. With
-- `last_key` it goes on behind that key: rows deleted before it are not read again, which keeps a
-- drain fast while a long transaction holds back vacuum.
create or replace function public.messenger_lock_due(
  queue text, max_messages integer, last_key jsonb default null
) returns bigint[]
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
  clock constant timestamptz := public.messenger_now();
  current_rank smallint := (last_key ->> 0)::smallint;
  behind_at timestamptz := (last_key ->> 1)::timestamptz;
  behind_id bigint := (last_key ->> 2)::bigint;
  found_ids bigint[] := array[]::bigint[];
begin
  if current_rank is null then
    select m.rank into current_rank from public.messenger_messages m
    where m.queue = messenger_lock_due.queue and m.status = 'pending' and not m.alone
    order by m.rank limit 1;
  end if;

  while current_rank is not null and cardinality(found_ids) < max_messages loop
    found_ids := found_ids || array(
      select m.id from public.messenger_messages m
      where m.queue = messenger_lock_due.queue and m.rank = current_rank
        and m.status = 'pending' and not m.alone
        and m.available_at <= clock
        and (m.available_at, m.id) > (coalesce(behind_at, '-infinity'), coalesce(behind_id, 0))
      order by m.available_at, m.id
      limit max_messages - cardinality(found_ids)
      for update skip locked
    );
    exit when cardinality(found_ids) >= max_messages;

    behind_at := null;
    behind_id := null;
    -- Not min(): without statistics that may be planned as a read of every row behind.
    current_rank := (
      select m.rank from public.messenger_messages m
      where m.queue = messenger_lock_due.queue and m.rank > current_rank
        and m.status = 'pending' and not m.alone
      order by m.rank limit 1
    );
  end loop;

  return found_ids;
end
$$;
comment on function public.messenger_lock_due(text, integer, jsonb) is
  'Part of a claim: locks due messages of one queue in claim order, behind a key if one is given, and answers their ids.';

-- When the next pending message of these queues falls due; null if none waits.
create or replace function public.messenger_next_due(queues text[]) returns timestamptz
language sql stable
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  with recursive ranks as (
    select q.queue, (
      select m.rank from public.messenger_messages m
      where m.queue = q.queue and m.status = 'pending' and not m.alone
      order by m.rank limit 1
    ) as rank
    from unnest(queues) as q (queue)
    union all
    select r.queue, (
      select m.rank from public.messenger_messages m
      where m.queue = r.queue and m.status = 'pending' and not m.alone and m.rank > r.rank
      order by m.rank limit 1
    )
    from ranks r
    where r.rank is not null
  )
  select least(
    (
      select min((
        select m.available_at from public.messenger_messages m
        where m.queue = r.queue and m.rank = r.rank and m.status = 'pending' and not m.alone
        order by m.available_at limit 1
      ))
      from ranks r
    ),
    (
      select min(m.available_at) from public.messenger_messages m
      where m.status = 'pending' and m.alone and m.queue = any (queues)
    )
  )
$$;
comment on function public.messenger_next_due(text[]) is
  'When the next pending message of these queues falls due; null where none waits.';

-- One claim. `last_keys` is the answer of the worker's last claim: it goes on behind it, and looks
-- in full again at a queue that had come back short. `sweep` also hands out messages whose lease ran
-- out, as crashed. `run_alone` asks for one message that has to run alone. A call whose answer was
-- lost is repeated with the same token and `repeated`, and gives the same messages.
create or replace function public.messenger_claim(
  token uuid,
  max_messages integer default 100,
  lease_ms integer default 60000,
  queues text[] default null,
  last_keys jsonb default null,
  run_alone boolean default false,
  sweep boolean default true,
  repeated boolean default false
) returns jsonb
language plpgsql
set search_path = ''
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A second token, made from the first, fences the messages that are handed out as crashed.
  crashed_token constant uuid := md5(token::text || ' crashed')::uuid;
  -- In an order of its own each time, so that no queue is always the last to be asked.
  open_queues constant text[] := array(
    select q.name from public.messenger_queues q
    where not q.paused and (queues is null or q.name = any (queues))
    order by random()
  );
  busy_queues text[] := array[]::text[];
  open_queue text;
  keys jsonb := coalesce(last_keys, '{}');
  room integer := max_messages;
  asked integer;
  locked bigint[] := array[]::bigint[];
  locked_here bigint[];
  answer jsonb;
begin
  if token is null then
    raise sqlstate 'PT400' using message = 'token: is required';
  end if;
  if max_messages is null or max_messages not between 0 and 10000 then
    raise sqlstate 'PT400' using message = 'max_messages: has to be from 0 to 10000';
  end if;
  if lease_ms is null or lease_ms not between 1 and 86400000 then
    raise sqlstate 'PT400' using message = 'lease_ms: has to be from 1 to 86400000';
  end if;

  if repeated then
    locked := array(
      select m.id from public.messenger_messages m
      where m.status = 'processing' and m.lease_token in (token, crashed_token) and not m.cancelled
      for update
    );
  end if;

  if cardinality(locked) = 0 then
    -- Bounded, and what is handed out gets a new lease: messages that nobody can rescue never
    -- stand in front of the others.
    if sweep then
      locked := array(
        select m.id from public.messenger_messages m
        where m.status = 'processing' and m.leased_until <= clock and m.queue = any (open_queues)
        order by m.leased_until
        limit 100
        for update skip locked
      );
    end if;

    if run_alone then
      locked := locked || array(
        select m.id from public.messenger_messages m
        where m.status = 'pending' and m.alone and m.available_at <= clock
          and m.queue = any (open_queues)
        order by m.available_at, m.id
        limit least(room, 1)
        for update skip locked
      );
    else
      -- First an equal share for each queue, then what is left over for those that have more.
      for pass in 1..2 loop
        foreach open_queue in array case pass when 1 then open_queues else busy_queues end loop
          asked := case pass
            when 1 then least(room, ceil(max_messages::numeric / cardinality(open_queues)))
            else room
          end;
          exit when asked = 0;
          locked_here := public.messenger_lock_due(open_queue, asked, keys -> open_queue);
          if cardinality(locked_here) = asked then
            busy_queues := busy_queues || open_queue;
            keys := keys || jsonb_build_object(open_queue, (
              select jsonb_build_array(m.rank, m.available_at, m.id::text)
              from public.messenger_messages m where m.id = locked_here[asked]
            ));
          else
            keys := keys - open_queue;
          end if;
          room := room - cardinality(locked_here);
          locked := locked || locked_here;
        end loop;
      end loop;
    end if;
  end if;

  with leased as (
    update public.messenger_messages m
    set status = 'processing',
      attempts = m.attempts + (m.status = 'pending')::integer,
      lease_token = case
        when m.status = 'pending' or m.lease_token = token then token else crashed_token
      end,
      leased_until = clock + lease_ms * interval '1 millisecond',
      dedupe_key = case when not m.dedupe_until_started then m.dedupe_key end
    where m.id = any (locked)
    returning m.*
  ),
  envelopes as (
    select l.lease_token, l.rank, l.available_at, l.id, jsonb_build_object(
      'id', l.id::text, 'type', l.type, 'payload', l.payload, 'queue', l.queue,
      'priority', l.priority, 'available_at', l.available_at, 'created_at', l.created_at,
      'expires_at', l.expires_at, 'expired', coalesce(l.expires_at <= clock, false),
      'retry_count', l.retry_count, 'attempts', l.attempts, 'group_key', l.group_key,
      'stamps', l.stamps, 'errors', l.errors, 'alone', l.alone
    ) as envelope
    from leased l
  )
  select jsonb_build_object(
    'messages', coalesce(
      jsonb_agg(envelope order by rank, available_at, id) filter (where lease_token = token), '[]'
    ),
    'crashed', coalesce(jsonb_agg(envelope order by id) filter (where lease_token <> token), '[]'),
    'token', token,
    'crashed_token', crashed_token,
    'last_keys', keys,
    'now', clock
  )
  into answer from envelopes;

  return answer || jsonb_build_object(
    'alone_due', exists (
      select from public.messenger_messages m
      where m.status = 'pending' and m.alone and m.available_at <= clock
        and m.queue = any (open_queues)
    ),
    'next_due_at', case
      when cardinality(locked) = 0 then public.messenger_next_due(open_queues)
    end
  );
end
$$;
comment on function public.messenger_claim(
  uuid, integer, integer, text[], jsonb, boolean, boolean, boolean
) is
  'Leases due messages and answers them as one jsonb: messages, crashed (their lease ran out), last_keys for the next claim, alone_due, next_due_at.';

revoke execute on function
  public.messenger_lock_due(text, integer, jsonb),
  public.messenger_next_due(text[]),
  public.messenger_claim(uuid, integer, integer, text[], jsonb, boolean, boolean, boolean)
from public, anon, authenticated;
grant execute on function
  public.messenger_lock_due(text, integer, jsonb),
  public.messenger_next_due(text[]),
  public.messenger_claim(uuid, integer, integer, text[], jsonb, boolean, boolean, boolean)
to service_role;
