-- Relays: each takes one shard of a transport at a time under a lease, publishes a batch of it, and tells what the engine
-- has confirmed. A relay that is killed in between leaves its batch noted in its row: the next one marks these
-- publications as repeated, because they may be in the engine already.
--
-- After a failure a shard waits, each time twice as long, up to five minutes. Then a relay publishes one row of it, to
-- see whether the engine is back.

create table messenger.relays (
  transport text not null,
  shard smallint not null,
  token uuid,
  leased_until timestamptz,
  batch bigint[] not null default '{}',
  failures integer not null default 0,
  failure text,
  retry_at timestamptz,
  claimed_at timestamptz,
  front timestamptz,
  front_until timestamptz,
  primary key (transport, shard)
);
comment on table messenger.relays is
  'Shards of the transports that have or had messages in the outbox: which relay publishes them, and how that went.';
comment on column messenger.relays.transport is
  'Name of the transport.';
comment on column messenger.relays.shard is
  'Number of the shard, from 0.';
comment on column messenger.relays.token is
  'Fence of the relay that publishes: a report with another token changes nothing.';
comment on column messenger.relays.leased_until is
  'When another relay may take over; null while none is at work.';
comment on column messenger.relays.batch is
  'Positions that are being published, or whose fate is unknown.';
comment on column messenger.relays.failures is
  'Attempts in a row after which the engine had confirmed nothing; 0 after a success.';
comment on column messenger.relays.failure is
  'Text of the latest failure; null after a success.';
comment on column messenger.relays.retry_at is
  'When the engine is tried again; null after a success.';
comment on column messenger.relays.claimed_at is
  'When a relay took the shard last; the shard that has waited longest is taken first.';
comment on column messenger.relays.front is
  'Due time at which scans of the shard begin: when it was noted, all visible rows that are due earlier had been sent. Null if scans of all rows are cheap.';
comment on column messenger.relays.front_until is
  'Until when scans begin at the front. The next scan after that reads all rows again.';
alter table messenger.relays enable row level security;

create function messenger.make_relays(p_transports text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if (select count(*) from messenger.relays r where r.transport = any (p_transports)) < 4 * cardinality(p_transports) then
    insert into messenger.relays (transport, shard)
    select t, s from unnest(p_transports) as t cross join generate_series(0, 3) as s
    order by t, s
    on conflict do nothing;
  end if;
end
$$;
comment on function messenger.make_relays(text[]) is
  'Part of write_outbox: makes the rows of the shards of transports.';

-- A lease that ends later than the longest lease is void: it was edited, or the clock was set back.
create function messenger.shard_opens_at(p_relay messenger.relays) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
begin
  return greatest(p_relay.retry_at, case
    when p_relay.leased_until <= messenger.clock() + messenger.longest_lease() then p_relay.leased_until
  end);
end
$$;
comment on function messenger.shard_opens_at(messenger.relays) is
  'When a relay may take a shard: at the end of its lease, or of the pause after a failure; null if there was neither.';

-- Stable, so that the planner can start its scan of the index at this time.
create function messenger.shard_front(p_relay messenger.relays) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  return case when p_relay.front_until > messenger.clock() then p_relay.front else '-infinity' end;
end
$$;
comment on function messenger.shard_front(messenger.relays) is
  'The due time at which a scan of a shard begins.';

-- While a transaction stays open, the index keeps the rows that were sent since it began, and each scan passes them:
-- 100,000 in 0.1 s. Scans therefore begin two seconds before the first row that waits. If a transaction commits late,
-- its row may be due earlier than that. The next scan of all rows finds it. Scans of all rows take at most a sixth of the
-- time.
create function messenger.note_fronts(p_transport text, p_took interval) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
begin
  update messenger.relays r
  set front_until = clock + greatest(interval '1 second', 10 * p_took), front = least(clock, (
    select f.available_at from messenger.outbox f
    where f.transport = r.transport and f.shard = r.shard and f.sent_at is null
    order by f.transport, f.shard, f.available_at, f.position limit 1
  )) - interval '2 seconds'
  from (
    select k.transport, k.shard from messenger.relays k
    where k.transport = p_transport and (k.front_until > clock) is not true
    order by k.shard for update skip locked
  ) as stale
  where r.transport = stale.transport and r.shard = stale.shard;
  return found;
end
$$;
comment on function messenger.note_fronts(text, interval) is
  'Part of messenger_claim_outbox: notes where the next scans of the shards begin, after a scan that took long. Returns whether it has noted any.';

-- `order by` names the equal columns too: then the planner reads one row of the index, and never sorts a shard.
create function messenger.outbox_due(p_transport text default null) returns timestamptz
language plpgsql volatile
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
begin
  return (
    select min(greatest(o.available_at, messenger.shard_opens_at(r)))
    from messenger.relays r
    cross join lateral (
      select f.available_at from messenger.outbox f
      where f.transport = r.transport and f.shard = r.shard and f.sent_at is null
        -- This is shard_front(); a call of it would take longer than the rest of a scan that finds nothing.
        and f.available_at >= case when r.front_until > clock then r.front else '-infinity' end
      order by f.transport, f.shard, f.available_at, f.position limit 1
    ) as o
    where r.transport = p_transport
      -- A transport that the code no longer declares has no relay.
      or p_transport is null and exists (select from messenger.transports t where t.name = r.transport)
  );
end
$$;
comment on function messenger.outbox_due(text) is
  'When a relay of this transport, or of all that are declared, has something to publish; null where nothing waits.';

-- A scan takes 0.2 ms, most of it because the process has just slept. So the call reads the outbox only if the snapshot
-- has changed, as messenger_await_due does, and on a busy database every 25 ms at most. Without this rule each relay that
-- had nothing to publish took 35 ms of CPU a second.
create function messenger.await_outbox(p_transport text, p_until timestamptz) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  due_at timestamptz;
  looked_at timestamptz;
  took interval;
  snapshot text;
  seen text;
  pause double precision := 0.005;
begin
  loop
    -- Taken before the outbox is read: what commits in between changes the next snapshot.
    snapshot := pg_current_snapshot()::text;
    if snapshot = seen then
      pause := least(pause * 1.2, 0.02);
    else
      looked_at := clock_timestamp();
      due_at := messenger.outbox_due(p_transport);
      took := clock_timestamp() - looked_at;
      if took > interval '10 milliseconds' then
        -- From here on this call holds locks on the rows of the shards. It returns, and the next call scans again.
        exit when messenger.note_fronts(p_transport, took);
      end if;
      if seen is not null then
        pause := 0.025;
      end if;
      seen := snapshot;
    end if;
    exit when due_at <= messenger.clock() or clock_timestamp() >= p_until;
    perform pg_sleep(least(pause, extract(epoch from p_until - clock_timestamp())::double precision));
  end loop;
  return due_at;
end
$$;
comment on function messenger.await_outbox(text, timestamptz) is
  'Part of messenger_claim_outbox: waits until something of a transport is due, or until a moment. Returns when the next of it is due.';

-- Takes a shard that is due, marks what a killed relay has left, and returns the next rows of it. `wait_ms` is how long
-- the call may wait for one, so that a dispatch is published within milliseconds at the cost of one connection. A call
-- that is repeated with its token, because its answer was lost, returns the same batch.
create function public.messenger_claim_outbox(
  transport text, token uuid, lease_ms integer default 30000, wait_ms integer default 0,
  max_messages integer default 500, max_bytes bigint default 4194304
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := clock_timestamp() + least(wait_ms, 3000) * interval '1 millisecond';
  due_at timestamptz;
  relay messenger.relays;
  rows bigint[];
  fault_detail text;
begin
  perform messenger.check_relay_call(token, lease_ms, wait_ms, max_messages, max_bytes);
  -- This call may be a repetition, and the first one may still run.
  perform pg_advisory_xact_lock(hashtextextended('symphony_messenger.relay', hashtextextended(token::text, 0)));
  relay := messenger.extend_shard(transport, token, lease_ms);
  if relay.shard is not null then
    return messenger.claimed_shard(relay, lease_ms);
  end if;
  due_at := messenger.await_outbox(transport, until);
  relay := messenger.take_shard(transport, token, lease_ms);
  if relay.shard is null then
    return jsonb_build_object('messages', '[]'::jsonb, 'next_due_ms', messenger.ms_until(due_at));
  end if;
  perform messenger.bury_expired(relay);
  perform messenger.hold_groups(relay, max_messages);
  rows := messenger.due_positions(relay, max_messages, max_bytes);
  update messenger.relays r set batch = rows where r.transport = relay.transport and r.shard = relay.shard
  returning r.* into relay;
  perform messenger.check_deferred('messenger_claim_outbox');
  return messenger.claimed_shard(relay, lease_ms);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_claim_outbox(text, uuid, integer, integer, integer, bigint) is
  'Leases a shard of a transport''s outbox to a relay, and returns its next batch in order: {"shard", "origin", "lease_ms", "messages"}; without a shard nothing is due, and "next_due_ms" says when. Waits up to wait_ms for something. A call with the token of a lease returns its batch again.';

create function messenger.extend_shard(p_transport text, p_token uuid, p_lease_ms integer) returns messenger.relays
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
  relay messenger.relays;
begin
  update messenger.relays r set leased_until = clock + p_lease_ms * interval '1 millisecond'
  where r.transport = p_transport and r.token = p_token and r.leased_until > clock
  returning r.* into relay;
  return relay;
end
$$;
comment on function messenger.extend_shard(text, uuid, integer) is
  'Part of messenger_claim_outbox: extends the lease of the shard that a token holds already, for a call that is repeated; null if it holds none.';

create function messenger.claimed_shard(p_relay messenger.relays, p_lease_ms integer) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'shard', p_relay.shard, 'origin', messenger.installation_id(), 'lease_ms', p_lease_ms,
    'messages', messenger.publications(p_relay.batch)
  );
end
$$;
comment on function messenger.claimed_shard(messenger.relays, integer) is
  'Part of messenger_claim_outbox: the answer about a leased shard.';

create function messenger.check_relay_call(
  p_token uuid, p_lease_ms integer, p_wait_ms integer, p_max_messages integer, p_max_bytes bigint
) returns void
language plpgsql
set search_path = ''
as $$
declare
  problem constant text := case
    when p_token is null then 'token: is missing'
    when p_lease_ms is null or p_lease_ms not between 1000 and 600000 then 'lease_ms: has to be from 1000 to 600000'
    when p_wait_ms is null or p_wait_ms not between 0 and 3000 then 'wait_ms: has to be from 0 to 3000'
    when p_max_messages is null or p_max_messages not between 1 and 500 then 'max_messages: has to be from 1 to 500'
    when p_max_bytes is null or p_max_bytes < 1 then 'max_bytes: has to be more than zero'
  end;
begin
  if problem is not null then
    raise sqlstate 'PT400' using message = problem;
  end if;
end
$$;
comment on function messenger.check_relay_call(uuid, integer, integer, integer, bigint) is
  'Part of messenger_claim_outbox: refuses wrong arguments.';

create function messenger.ms_until(p_moment timestamptz) returns bigint
language plpgsql volatile
set search_path = ''
as $$
begin
  return case when p_moment is not null then greatest(0, ceil(1000 * extract(epoch from p_moment - messenger.clock()))) end;
end
$$;
comment on function messenger.ms_until(timestamptz) is
  'Ms from now until a moment, 0 if it is past; null for null.';

create function messenger.take_shard(p_transport text, p_token uuid, p_lease_ms integer) returns messenger.relays
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
  relay messenger.relays;
begin
  select r.* into relay from messenger.relays r
  where r.transport = p_transport
    and (messenger.shard_opens_at(r) <= clock) is not false
    and exists (
      select from messenger.outbox o
      where o.transport = r.transport and o.shard = r.shard and o.sent_at is null and o.available_at <= clock
        and o.available_at >= messenger.shard_front(r)
      offset 0
    )
  order by r.claimed_at nulls first, r.shard
  limit 1
  for update skip locked;
  if relay.shard is null then
    return null;
  end if;
  -- The relay that had the shard before was killed, or did not learn whether the engine has these publications.
  update messenger.outbox o set repeated = true
  where o.position = any (relay.batch) and o.sent_at is null and not o.repeated;
  update messenger.relays r
  set token = p_token, claimed_at = clock, leased_until = clock + p_lease_ms * interval '1 millisecond', batch = '{}'
  where r.transport = relay.transport and r.shard = relay.shard;
  return relay;
end
$$;
comment on function messenger.take_shard(text, uuid, integer) is
  'Part of messenger_claim_outbox: leases a shard that has something due and no relay; null if there is none.';

create function messenger.due_positions(p_relay messenger.relays, p_max_messages integer, p_max_bytes bigint)
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
begin
  return array(
    select d.position
    from (
      select o.position, row_number() over place as number, sum(o.bytes) over place as bytes
      from (
        select f.available_at, f.position, f.bytes from messenger.outbox f
        where f.transport = p_relay.transport and f.shard = p_relay.shard and f.sent_at is null and f.available_at <= clock
          and f.available_at >= messenger.shard_front(p_relay)
        order by f.transport, f.shard, f.available_at, f.position
        limit case when p_relay.failures > 0 then 1 else p_max_messages end
      ) as o
      window place as (order by o.available_at, o.position)
    ) as d
    where d.bytes <= p_max_bytes or d.number = 1
    order by d.number
  );
end
$$;
comment on function messenger.due_positions(messenger.relays, integer, bigint) is
  'Part of messenger_claim_outbox: the next rows of a shard in order; one after the engine was away, to try it.';

-- Rows behind a refused one of their group would fill the batches of the shard. So they wait as long as that one does,
-- and stand behind it when it is due: the order is that of available_at, then of position.
create function messenger.hold_groups(p_relay messenger.relays, p_max_messages integer) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
begin
  if not exists (
    select from messenger.outbox o
    where o.transport = p_relay.transport and o.shard = p_relay.shard and o.sent_at is null and o.refusals > 0
      and o.group_key is not null and o.available_at > clock
  ) then
    return;
  end if;
  update messenger.outbox o set available_at = h.until
  from (
    select d.position, (
      select max(r.available_at) from messenger.outbox r
      where r.transport = p_relay.transport and r.shard = p_relay.shard and r.sent_at is null and r.refusals > 0
        and r.queue = d.queue and r.group_key = d.group_key and r.position < d.position
    ) as until
    from (
      select f.position, f.queue, f.group_key from messenger.outbox f
      where f.transport = p_relay.transport and f.shard = p_relay.shard and f.sent_at is null and f.available_at <= clock
        and f.available_at >= messenger.shard_front(p_relay)
      order by f.transport, f.shard, f.available_at, f.position limit p_max_messages
    ) as d
    where d.group_key is not null
  ) as h
  where o.position = h.position and h.until > clock;
end
$$;
comment on function messenger.hold_groups(messenger.relays, integer) is
  'Part of messenger_claim_outbox: lets the next rows of a shard that are behind a refused one of their group wait as long as that one.';

create function messenger.publications(p_positions bigint[]) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'position', o.position::text, 'id', o.id::text, 'publication', o.publication, 'type', o.type,
      'queue', o.queue, 'priority', o.priority, 'groupKey', o.group_key, 'createdAt', o.created_at, 'availableAt', o.available_at,
      'expiresAt', o.expires_at, 'retryCount', o.retry_count, 'attempts', o.attempts, 'snoozes', o.snoozes,
      'interruptions', o.interruptions, 'repeated', nullif(o.repeated, false)
    )) || jsonb_build_object('payload', o.payload, 'stamps', o.stamps, 'errors', o.errors) order by p.place), '[]')
    from unnest(p_positions) with ordinality as p (position, place)
    join messenger.outbox o on o.position = p.position
  );
end
$$;
comment on function messenger.publications(bigint[]) is
  'Part of messenger_claim_outbox: rows of the outbox as the relay reads them, in the given order.';

-- `sent`: positions that the engine confirmed. `refused`: [{position, error, tooLarge?}]. `failure`: why the engine
-- is away; then the shard waits. Whatever is named nowhere is published again.
create function public.messenger_finish_outbox(
  transport text, shard integer, token uuid, sent bigint[] default '{}', refused jsonb default '[]',
  failure text default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  relay messenger.relays;
  waits constant boolean := failure is not null;
  fault_detail text;
begin
  select r.* into relay from messenger.relays r
  where r.transport = messenger_finish_outbox.transport and r.shard = messenger_finish_outbox.shard
    and r.token = messenger_finish_outbox.token
  for update;
  if relay.shard is null then
    return jsonb_build_object('stale', true);
  end if;
  perform messenger.mark_sent(array(select unnest(sent) intersect select unnest(relay.batch)));
  perform messenger.refuse_publications(relay, refused);
  update messenger.relays r
  set token = null, leased_until = null,
    batch = array(
      select b from unnest(relay.batch) as b
      where b <> all (sent) and not exists (
        select from jsonb_array_elements(refused) as f where (f.value ->> 'position')::bigint = b
      )
    ),
    failures = case when waits then least(r.failures + 1, 1000) else 0 end,
    failure = left(messenger_finish_outbox.failure, 2000),
    retry_at = case when waits then messenger.clock() + messenger.relay_pause(r.failures + 1) end
  where r.transport = relay.transport and r.shard = relay.shard;
  perform messenger.check_deferred('messenger_finish_outbox');
  return jsonb_build_object('stale', false);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_finish_outbox(text, integer, uuid, bigint[], jsonb, text) is
  'Ends a relay''s lease of a shard: notes what the engine has confirmed or refused, and why it is away. Returns {"stale"}: true if another relay has the shard, and nothing was written.';

-- The first pause is one second, each further one twice as long, five minutes at most.
create function messenger.relay_pause(p_failures integer) returns interval
language plpgsql immutable
set search_path = ''
as $$
begin
  return least(300, power(2, least(p_failures, 20) - 1)) * interval '1 second';
end
$$;
comment on function messenger.relay_pause(integer) is
  'How long a relay leaves an engine alone after a number of failures in a row: 1 s, 2 s, 4 s, up to 5 minutes.';

create function messenger.mark_sent(p_positions bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  keeps constant boolean := coalesce((select s.keep_sent > interval '0' from messenger.outbox_state s), true);
begin
  if keeps then
    update messenger.outbox o set sent_at = messenger.clock(), refusal = null where o.position = any (p_positions);
  else
    delete from messenger.outbox o where o.position = any (p_positions);
  end if;
end
$$;
comment on function messenger.mark_sent(bigint[]) is
  'Part of messenger_finish_outbox: notes that the engine has confirmed publications, or deletes them if none is kept.';

-- A row that cannot become a dead letter, such as by a trigger of the project's own, keeps back no other of its shard: it
-- waits as a refused publication does. The error of a deferred trigger has to come with its row.
create function messenger.bury_apart(p_rows jsonb, p_reason text) returns void
language plpgsql
set search_path = ''
as $$
declare
  one jsonb;
begin
  begin
    perform messenger.bury_outbox(p_rows, p_reason);
    set constraints all immediate;
    return;
  exception when others then null;
  end;
  for one in select r.value from jsonb_array_elements(p_rows) as r loop
    begin
      perform messenger.bury_outbox(jsonb_build_array(one), p_reason);
      set constraints all immediate;
    exception when others then
      raise warning 'a message of the outbox is no dead letter: %', sqlerrm;
      update messenger.outbox o
      set refusals = least(o.refusals + 1, 1000), available_at = messenger.clock() + messenger.relay_pause(o.refusals + 1),
        refusal = left(format('the message could not be a dead letter: %s', sqlerrm), 2000)
      where o.position = (one ->> 'position')::bigint;
    end;
  end loop;
end
$$;
comment on function messenger.bury_apart(jsonb, text) is
  'Part of messenger_claim_outbox and messenger_finish_outbox: messenger.bury_outbox(), in which a row that is refused waits and keeps back no other.';

-- A refused message waits; see hold_groups() for those behind it in its group, which must not overtake it.
create function messenger.refuse_publications(p_relay messenger.relays, p_refused jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  too_large jsonb;
begin
  update messenger.outbox o
  set refusals = least(o.refusals + 1, 1000), refusal = g.error,
    available_at = messenger.clock() + messenger.relay_pause(o.refusals + 1)
  from (
    select (r.value ->> 'position')::bigint as position, left(r.value ->> 'error', 2000) as error
    from jsonb_array_elements(p_refused) as r
    where (r.value ->> 'position')::bigint = any (p_relay.batch) and (r.value ->> 'tooLarge')::boolean is not true
  ) as g
  where o.position = g.position;
  select jsonb_agg(r.value) into too_large from jsonb_array_elements(p_refused) as r
  where (r.value ->> 'position')::bigint = any (p_relay.batch) and (r.value ->> 'tooLarge')::boolean;
  if too_large is not null then
    perform messenger.bury_apart(too_large, 'unrecoverable');
  end if;
end
$$;
comment on function messenger.refuse_publications(messenger.relays, jsonb) is
  'Part of messenger_finish_outbox: lets refused publications wait, and buries those that are too large for the engine.';

create function messenger.bury_expired(p_relay messenger.relays) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := messenger.clock();
  expired jsonb;
begin
  select jsonb_agg(jsonb_build_object('position', d.position)) into expired
  from (
    select f.position, f.expires_at from messenger.outbox f
    where f.transport = p_relay.transport and f.shard = p_relay.shard and f.sent_at is null and f.available_at <= clock
      and f.available_at >= messenger.shard_front(p_relay)
    order by f.transport, f.shard, f.available_at, f.position limit 500
  ) as d
  where d.expires_at <= clock;
  if expired is not null then
    perform messenger.bury_apart(expired, 'expired');
  end if;
end
$$;
comment on function messenger.bury_expired(messenger.relays) is
  'Part of messenger_claim_outbox: moves messages among the next 500 whose time to live is over to the dead letters.';
