-- Claiming: a claim locks due messages of the wanted queues, leases them and hands them out as one JSON. The
-- claims of many sessions are disjoint (SKIP LOCKED), and each has its token.

-- One claim. `last_keys` is what the worker's last claim returned: this one starts behind it, and makes a head
-- scan of a queue that had come back short. `sweep` also hands out messages whose lease ran out, as crashed;
-- these, and messages that are larger than a worker can take, come without payload. Where a payload can
-- neither be sent nor measured, `unread` hands out all as crashed, and reads none. A sweep also takes messages
-- that are older than their ttl, from queues that are paused or full too, to be buried. `run_alone` asks for
-- one quarantined message. A call whose answer was lost is repeated with the
-- same token and `repeated`, and gives the same messages. Of queues with a rate it takes what the worker
-- starts at once: at most `slots`, within `start_within_ms`.
create function public.messenger_claim(
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
) returns json
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A second token, made from the first, fences the messages that are handed out as crashed. It is a UUID
  -- of version 8: a lease that ran out under such a one was a sweep's, and the next sweep counts it.
  crashed_token constant uuid := overlay(md5(token::text || ' crashed') placing '8' from 13)::uuid;
  -- Queues with due messages, and their settings.
  open_queues text[] := array[]::text[];
  weights integer[];
  limited boolean[];
  is_rated boolean[];
  first_keys jsonb;
  -- Queues whose running messages are counted, those with a rate, and those with leases of their own.
  counted text[] := array[]::text[];
  rated text[] := array[]::text[];
  leases jsonb := '{}'::jsonb;
  keys jsonb := coalesce(last_keys, '{}');
  locked tid[] := array[]::tid[];
  -- Messages that are locked beside the due ones of open_queues.
  others tid[] := array[]::tid[];
  locked_here tid[];
  -- Locked by the sweep, for they are older than their ttl.
  past_ttl record;
  past_ttl_bytes bigint := 0;
  bytes bigint := 0;
  oversized tid[] := array[]::tid[];
  oversized_ids text[] := array[]::text[];
  more boolean := false;
  lock_from timestamptz;
  lock_ms double precision := 0;
  answer json;
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
  if slots < 0 then
    raise sqlstate 'PT400' using message = 'slots: has to be zero or more';
  end if;
  if start_within_ms is null or start_within_ms not between 1 and 60000 then
    raise sqlstate 'PT400' using message = 'start_within_ms: has to be from 1 to 60000';
  end if;
  if max_bytes is null or max_bytes < 0 then
    raise sqlstate 'PT400' using message = 'max_bytes: has to be zero or more';
  end if;

  if repeated then
    locked := array(
      select m.ctid from public.messenger_messages m
      where m.id = any (array(
          select unnest(l.ids) from messenger.leases l
          where l.token in (messenger_claim.token, crashed_token)
        ))
        and m.lease_token in (messenger_claim.token, crashed_token) and not m.cancelled
      for update
    );
    bytes := max_bytes;
    others := locked;
  end if;

  if cardinality(locked) = 0 then
    -- Bounded, and what is handed out gets a new lease: messages that crash every worker never keep
    -- back the others.
    if sweep then
      perform messenger.reopen_noted_groups();
      locked := messenger.lock_expired(queues);
      past_ttl := messenger.lock_past_ttl(
        queues, max_messages, case when not unread then max_bytes end
      );
      past_ttl_bytes := past_ttl.bytes;
      locked := locked || past_ttl.locked;
      others := locked;
      -- One more message, which may have as many bytes as it likes, would be too much beside them.
      more := past_ttl_bytes > max_bytes / 2;
      max_messages := case when more then 0 else max_messages - cardinality(past_ttl.locked) end;
    end if;

    if run_alone then
      if max_messages > 0 then
        locked_here := messenger.lock_quarantined(queues, slots);
        locked := locked || locked_here;
        others := locked;
        if not unread then
          select f.bytes, f.oversized into bytes, oversized
          from messenger.fit_bytes(locked_here, max_bytes, true) as f;
        end if;
        perform messenger.grant_starts(m.queue, 1, start_within_ms)
        from public.messenger_messages m
        where m.ctid = locked_here[1] and (m.expires_at <= clock) is not true;
      end if;
    elsif max_messages > 0 then
      lock_from := clock_timestamp();
      -- In an order of its own each time, the heavier the earlier, so that no queue is always the last.
      select coalesce(array_agg(q.name), '{}'), array_agg(q.weight),
        array_agg(q.concurrency is not null or q.rate_limit is not null),
        array_agg(q.rate_limit is not null),
        coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
        coalesce(array_agg(q.name) filter (where q.rate_limit is not null), '{}'),
        coalesce(jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}'),
        coalesce(jsonb_object_agg(q.name, q.first_key) filter (where q.first_key is not null), '{}')
      into open_queues, weights, limited, is_rated, counted, rated, leases, first_keys
      from (
        select d.queue as name, d.first_key, coalesce(o.weight::integer, 1) as weight, o.concurrency,
          o.rate_limit, o.lease_ms
        from messenger.due_queues(queues, keys) d
        left join public.messenger_queues o on o.name = d.queue
        where o.paused is not true and (queues is not null or o.runs_on is distinct from 'worker')
        order by ln(1 - random()) / coalesce(o.weight, 1) desc
      ) as q;
      select s.locked, s.keys, s.bytes, s.oversized, s.more
      into locked_here, keys, bytes, oversized, more
      from messenger.lock_shares(
        open_queues, weights, limited, is_rated, max_messages, slots, start_within_ms, keys,
        case when not unread then max_bytes - past_ttl_bytes end, first_keys
      ) as s;
      locked := locked || locked_here;
      lock_ms := extract(milliseconds from clock_timestamp() - lock_from);
    end if;
    if sweep then
      bytes := bytes + past_ttl_bytes;
      oversized := oversized || past_ttl.oversized;
    end if;
  end if;

  if cardinality(others) > 0 then
    select counted || coalesce(array_agg(q.name) filter (where q.concurrency is not null), '{}'),
      rated || coalesce(
        array_agg(q.name) filter (where q.rate_limit is not null and q.name <> all (rated)), '{}'
      ),
      leases || coalesce(
        jsonb_object_agg(q.name, q.lease_ms) filter (where q.lease_ms is not null), '{}'
      )
    into counted, rated, leases
    from public.messenger_queues q
    where q.name = any (array(
      select m.queue from public.messenger_messages m where m.ctid = any (others)
    ));
  end if;
  if cardinality(oversized) > 0 then
    oversized_ids := array(
      select m.id::text from public.messenger_messages m where m.ctid = any (oversized)
    );
  end if;

  -- As json, in arrays: objects of jsonb would be taken apart and written again at every level.
  with leased as (
    update public.messenger_messages m
    set status = 'processing',
      -- Once for each lease that is given, whatever stands there: a sweep's counts when it runs out.
      attempts = least(m.attempts, 2147483646) + (
        m.status = 'pending'
        or m.lease_token <> crashed_token and substr(m.lease_token::text, 15, 1) = '8'
      )::integer,
      lease_token = case
        when unread then crashed_token
        when m.status = 'pending' and m.ctid <> all (oversized) or m.lease_token = token
        then token else crashed_token
      end,
      leased_until = clock
        + coalesce((leases ->> m.queue)::integer, lease_ms) * interval '1 millisecond',
      heartbeated = m.heartbeated or m.group_key is not null
        or m.queue = any (counted) and (m.expires_at <= clock) is not true,
      dedupe_key = case
        when not m.dedupe_until_started and (m.expires_at <= clock) is not true then m.dedupe_key
      end
    where m.ctid = any (locked)
    returning m.lease_token, m.leased_until, m.queue, m.priority, m.available_at, m.id,
      json_build_array(
        m.id::text, m.type, case when m.lease_token = token then m.payload end, m.queue, m.priority, m.attempts,
        date_part('epoch', m.available_at) * 1000, date_part('epoch', m.created_at) * 1000, m.group_key,
        -- Few messages have any of these.
        case
          when m.expires_at is not null or m.retry_count > 0 or m.stamps is not null or m.quarantined
            or m.snoozes > 0 or m.interruptions > 0
          then json_build_array(
            m.expires_at, coalesce(m.expires_at <= clock, false), m.retry_count,
            case when m.lease_token = token or pg_column_size(m.stamps) <= 2000 then m.stamps end,
            m.quarantined, m.snoozes, m.interruptions
          )
        end
      ) as envelope
  ),
  noted as (
    insert into messenger.leases as known (token, leased_until, queues, ids, open)
    select l.lease_token, min(l.leased_until),
      case
        when cardinality(others) = 0 and cardinality(open_queues) <= 10 then open_queues
        else array(select distinct q.queue from leased q)
      end,
      array_agg(l.id), count(*)
    from leased l group by l.lease_token
    -- A call that is repeated.
    on conflict on constraint leases_pkey do update
    set leased_until = least(known.leased_until, excluded.leased_until),
      queues = array(select unnest(known.queues) union select unnest(excluded.queues)),
      (ids, open) = (
        select array_agg(b.id), count(*)
        from (select unnest(known.ids) union select unnest(excluded.ids)) as b (id)
      )
  ),
  envelopes as (
    select l.lease_token = token as is_given, l.envelope
    from leased l order by l.priority desc, l.available_at, l.id
  )
  select json_build_object(
    'messages', coalesce(json_agg(envelope) filter (where is_given), '[]'),
    'crashed', coalesce(json_agg(envelope) filter (where not is_given), '[]'),
    'token', token,
    'crashed_token', crashed_token,
    'last_keys', keys,
    'lease_ms', least(lease_ms, (
      select min(l.ms::integer) from jsonb_each_text(leases) as l (queue, ms)
    )),
    'lock_ms', lock_ms,
    'bytes', bytes,
    'more', more,
    'oversized', oversized_ids,
    'rated', rated,
    'now', clock,
    'quarantined_due', exists (
      select from messenger.quarantined_messages m
      where m.available_at <= clock
        and m.ctid <> all (locked) and messenger.is_open(m.queue, queues)
        and messenger.queue_opens_at(m.queue) is null
    ),
    'next_due_at', case
      when cardinality(locked) = 0 then messenger.next_due(queues)
    end
  )
  into answer from envelopes;
  return answer;
end
$$;
comment on function public.messenger_claim(
  uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean
) is
  'Leases due messages and returns them as one JSON: messages and crashed (their lease ran out), each an array [id, type, payload, queue, priority, attempts, available_at and created_at in ms since 1970, null or [expires_at, expired, retry_count, group_key, stamps, quarantined, snoozes, interruptions]]; crashed ones without payload; oversized (ids of those among them that no worker can take), last_keys for the next claim, quarantined_due, next_due_at, lease_ms (the shortest given), lock_ms (how long it took to find and lock them), bytes (of the messages, or more), more (bytes ended it, and there may be more), rated (queues with a rate).';
