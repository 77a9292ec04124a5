-- Claiming: a claim locks due messages of the wanted queues, leases them and hands them out as one JSON. The
-- claims of many sessions are disjoint (SKIP LOCKED), and each has its token.

-- It runs before the messages are leased. A queue with a concurrency may be full afterwards; if it always is, its
-- quarantined messages would never count as due.
create function messenger.claim_context(
  p_claim messenger.locked_messages, p_queues text[], p_lease_ms integer, p_clock timestamptz,
  out lease_ms integer, out oversized text[], out quarantined_due boolean, out next_due_at timestamptz
)
language plpgsql
set search_path = ''
as $$
begin
  select least(p_lease_ms, (
      select min(l.ms::integer) from jsonb_each_text(p_claim.leases) as l (queue, ms)
    )),
    array(
      select m.id::text from public.messenger_messages m where m.ctid = any (p_claim.oversized)
    ),
    -- Nearly always there is none, and the first question costs the least.
    exists (select from messenger.quarantined_messages) and exists (
      select from messenger.quarantined_fronts() f
      where f.available_at <= p_clock
        and messenger.is_open(f.queue, p_queues) and messenger.queue_opens_at(f.queue) is null
        and exists (
          select from messenger.quarantined_messages m
          where m.queue = f.queue and m.available_at <= p_clock and m.ctid <> all (p_claim.locked)
        )
    ),
    case when cardinality(p_claim.locked) = 0 then messenger.next_due(p_queues) end
  into lease_ms, oversized, quarantined_due, next_due_at;
end
$$;
comment on function messenger.claim_context(
  messenger.locked_messages, text[], integer, timestamptz
) is
  'Part of a claim: the shortest lease that it gives, the ids of messages that no worker can take, whether a quarantined message is due besides, and when the next message is if the claim has none.';

create function messenger.join_leases(p_known messenger.leases, p_given messenger.leases)
returns messenger.leases
language plpgsql
set search_path = ''
as $$
begin
  p_known.leased_until := least(p_known.leased_until, p_given.leased_until);
  p_known.queues := array(select unnest(p_known.queues) union select unnest(p_given.queues));
  p_known.ids := array(select unnest(p_known.ids) union select unnest(p_given.ids));
  p_known.open := cardinality(p_known.ids);
  return p_known;
end
$$;
comment on function messenger.join_leases(messenger.leases, messenger.leases) is
  'Part of a claim that has the token of an earlier one: the lease of both.';

-- `attempts` counts once for each lease that is given, whatever stands there; a sweep's lease counts when it runs
-- out. The envelopes are json, in arrays: objects of jsonb would be taken apart and written again at every level.
-- One statement leases and notes, because the rows of the update are at hand in it.
create function messenger.lease_locked(
  p_claim messenger.locked_messages, p_token uuid, p_crashed_token uuid, p_lease_ms integer,
  p_unread boolean, p_bare_stamps boolean, p_clock timestamptz, out messages json, out crashed json
)
language plpgsql
set search_path = ''
as $$
begin
  with leased as (
    update public.messenger_messages m
    set status = 'processing',
      attempts = least(m.attempts, 2147483646) + (
        m.status = 'pending' or m.lease_token <> p_crashed_token and substr(m.lease_token::text, 15, 1) = '8'
      )::integer,
      lease_token = case when p_unread then p_crashed_token
        when m.status = 'pending' and m.ctid <> all (p_claim.oversized) or m.lease_token = p_token then p_token
        else p_crashed_token
      end,
      leased_until = p_clock
        + coalesce((p_claim.leases ->> m.queue)::integer, p_lease_ms) * interval '1 millisecond',
      heartbeated = m.heartbeated or m.group_key is not null
        or m.queue = any (p_claim.counted) and (m.expires_at <= p_clock) is not true,
      dedupe_key = case when not m.dedupe_until_started and (m.expires_at <= p_clock) is not true then m.dedupe_key end,
      held_until_claim = case when m.lease_token = p_token then m.held_until_claim
        when m.dedupe_until_started then m.dedupe_key end
    where m.ctid = any (p_claim.locked)
    returning m.lease_token, m.leased_until, m.queue, m.priority, m.available_at, m.id,
      case
        when m.stamps is null or not p_bare_stamps or m.expires_at is not null or m.retry_count > 0 or m.quarantined
          or m.snoozes > 0 or m.interruptions > 0 or m.lease_token <> p_token
        then json_build_array(
          m.id::text, m.type, case when m.lease_token = p_token then m.payload end, m.queue, m.priority, m.attempts,
          date_part('epoch', m.available_at) * 1000, date_part('epoch', m.created_at) * 1000, m.group_key,
          case when m.expires_at is not null or m.retry_count > 0 or m.stamps is not null or m.quarantined
            or m.snoozes > 0 or m.interruptions > 0
          then json_build_array(m.expires_at, coalesce(m.expires_at <= p_clock, false), m.retry_count,
            case when m.lease_token = p_token or pg_column_size(m.stamps) <= 2000 then m.stamps end,
            m.quarantined, m.snoozes, m.interruptions
          ) end
        )
        -- Members of batches and users' messages. To build an array of seven values costs more than the rest.
        else json_build_array(
          m.id::text, m.type, m.payload, m.queue, m.priority, m.attempts,
          date_part('epoch', m.available_at) * 1000, date_part('epoch', m.created_at) * 1000, m.group_key, null, m.stamps
        ) end as envelope
  ), noted as (
    insert into messenger.leases as known (token, leased_until, queues, ids, open)
    select l.lease_token, min(l.leased_until),
      coalesce(p_claim.queues, array(select distinct split_part(q.queue, '/', 1) from leased q)), array_agg(l.id), count(*)
    from leased l group by l.lease_token
    on conflict on constraint leases_pkey do update
    set (leased_until, queues, ids, open) = (
      select j.leased_until, j.queues, j.ids, j.open from messenger.join_leases(known, excluded) as j
    )
  )
  select coalesce(json_agg(e.envelope) filter (where e.lease_token = p_token), '[]'),
    coalesce(json_agg(e.envelope) filter (where e.lease_token <> p_token), '[]') into messages, crashed
  from (select * from leased l order by l.priority desc, l.available_at, l.id) as e;
end
$$;
comment on function messenger.lease_locked(
  messenger.locked_messages, uuid, uuid, integer, boolean, boolean, timestamptz
) is
  'Part of a claim: leases the locked messages, counts the attempt, notes the leases, and returns the envelopes of the messages that are given and of those that crashed.';

-- A message whose row a trigger of the project's own does not let change can be given to no worker. It becomes a dead
-- letter; if that is refused too, it stays, and the claim continues behind it.
create function messenger.bury_unleased(p_place tid, p_sqlstate text, p_message text, p_verb text default 'leased')
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- As in a settle call: settle_dead() notes a member of a batch itself.
  perform set_config('messenger.settles', 'true', true);
  perform messenger.settle_dead(jsonb_build_object('dead', jsonb_build_array(jsonb_build_object(
    'id', m.id, 'reason', 'unrecoverable', 'errors', jsonb_build_array(jsonb_build_object(
      'message', format('the message could not be %s: %s', p_verb, p_message), 'class', 'PostgresError', 'code', p_sqlstate,
      'attempt', m.attempts, 'at', public.messenger_now(), 'durationMs', 0
    ))
  ))), m.lease_token)
  from public.messenger_messages m where m.ctid = p_place;
  perform set_config('messenger.settles', '', true);
exception when others then
  raise warning 'a message that cannot be leased stays where it is: %', sqlerrm;
end
$$;
comment on function messenger.bury_unleased(tid, text, text, text) is
  'Part of a claim or a sweep: makes a message a dead letter whose lease, or whose wake, was refused.';

-- A passing fault: a lock, a lack of room, a deadlock that Postgres has found, a database that is read-only.
-- database/fault.ts has the same list.
create function messenger.is_passing(p_sqlstate text, p_detail text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return p_sqlstate ~ '^((08|53|57|58)...|PT50[234]|55P03|25006)$' or p_sqlstate = '40P01' and coalesce(p_detail ~ '[0-9]', false);
end
$$;
comment on function messenger.is_passing(text, text) is
  'Whether an error is of the database at this moment, and not of the row that met it.';

-- The first line of PL/pgSQL, in any language of the server, names the function that met the error.
create function messenger.is_of_the_project(p_context text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(substring(p_context from '(?n)^.*PL/pgSQL.*$') !~ '\mmessenger[._]', false);
end
$$;
comment on function messenger.is_of_the_project(text) is
  'Whether an error comes from a function of the project''s own, by its context.';

-- A worker settles, or extends, such a row apart from all others. It knows the fault by PT503 with a SQLSTATE as detail. A
-- deadlock that Postgres has found is over, and its call passes as a whole.
create function messenger.refuse_for_now(p_sqlstate text, p_message text, p_detail text, p_context text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if coalesce(current_setting('request.method', true), '') <> '' and p_sqlstate <> '40P01'
    and messenger.is_passing(p_sqlstate, p_detail) and messenger.is_of_the_project(p_context)
  then
    raise sqlstate 'PT503' using message = p_message, detail = p_sqlstate;
  end if;
end
$$;
comment on function messenger.refuse_for_now(text, text, text, text) is
  'Part of calls of workers over HTTP: raises PT503, with its SQLSTATE as detail, in place of a passing fault that a function of the project''s own has met.';

-- A message whose lease a passing fault refuses waits a minute, and each time twice as long. The fifth time it becomes a dead
-- letter, with the errors of all. Those of over an hour ago were of another fault. One whose worker died waits without a
-- lease, quarantined, as after a crash that a worker has judged: its row in messenger.leases is gone by now.
create function messenger.put_off_unleased(p_place tid, p_sqlstate text, p_message text) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  what constant text := 'the message could not be leased for now: ';
  times integer;
begin
  select count(*) into times
  from public.messenger_messages m,
    jsonb_array_elements(case when jsonb_typeof(m.errors) = 'array' then m.errors else '[]' end) as e (value)
  where m.ctid = p_place and starts_with(e.value ->> 'message', what)
    -- As texts, because an edit may have written what is no time.
    and e.value ->> 'at' > to_jsonb(clock - interval '1 hour') #>> '{}';
  if times >= 4 then
    perform messenger.bury_unleased(p_place, p_sqlstate, p_message);
    return;
  end if;
  update public.messenger_messages m
  set status = 'pending', lease_token = null, leased_until = null, heartbeated = false,
    quarantined = m.quarantined or m.status = 'processing' and m.leased_until <= clock,
    available_at = clock + 60 * power(2, times) * interval '1 second',
    errors = messenger.append_errors(m.errors, jsonb_build_array(jsonb_build_object(
      'message', what || p_message, 'class', 'PostgresError', 'code', p_sqlstate, 'attempt', m.attempts, 'at', clock,
      'durationMs', 0
    )))
  where m.ctid = p_place and (m.status = 'pending' or not m.cancelled);
exception when query_canceled or others then
  raise warning 'a message that cannot be leased for now stays where it is: %', sqlerrm;
end
$$;
comment on function messenger.put_off_unleased(tid, text, text) is
  'Part of a claim: lets a message wait whose lease a passing fault refused; the fifth time it becomes a dead letter.';

-- The claim that a worker makes when no larger one passes: what one row refuses keeps back no other. `others` does not
-- include a statement's timeout, such as of a trigger that waits.
create function messenger.lease_apart(
  p_claim messenger.locked_messages, p_token uuid, p_crashed_token uuid, p_lease_ms integer, p_clock timestamptz,
  out messages json, out crashed json, out refused integer
)
language plpgsql
set search_path = ''
as $$
declare
  all_crashed jsonb := '[]'::jsonb;
  one messenger.locked_messages := p_claim;
  place tid;
  fault_detail text;
begin
  messages := '[]';
  refused := 0;
  -- The error of a deferred trigger has to come with its row.
  set constraints all immediate;
  foreach place in array p_claim.locked loop
    begin
      one.locked := array[place];
      all_crashed := all_crashed
        || (messenger.lease_locked(one, p_token, p_crashed_token, p_lease_ms, true, false, p_clock)).crashed::jsonb;
    exception when query_canceled or others then
      get stacked diagnostics fault_detail = pg_exception_detail;
      refused := refused + 1;
      if messenger.is_passing(sqlstate, fault_detail) then
        perform messenger.put_off_unleased(place, sqlstate, sqlerrm);
      else
        perform messenger.bury_unleased(place, sqlstate, sqlerrm);
      end if;
    end;
  end loop;
  crashed := all_crashed;
end
$$;
comment on function messenger.lease_apart(messenger.locked_messages, uuid, uuid, integer, timestamptz) is
  'Part of a claim that reads no payload: leases the locked messages one by one, all as crashed, and says how many were refused. Those that a passing fault refuses wait, the others become dead letters.';

create function messenger.claim_messages(
  p_token uuid, p_max_messages integer, p_lease_ms integer, p_queues text[], p_last_keys jsonb, p_quarantined boolean,
  p_sweep boolean, p_repeated boolean, p_slots integer, p_start_within_ms integer, p_max_bytes bigint, p_unread boolean,
  p_bare_stamps boolean
) returns json
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A second token, made from the first, fences the messages that are handed out as crashed. It is a UUID
  -- of version 8: a lease that ran out under such a one was a sweep's, and the next sweep counts it.
  crashed_token constant uuid := overlay(md5(p_token::text || ' crashed') placing '8' from 13)::uuid;
  keys constant jsonb := coalesce(p_last_keys, '{}');
  measured_bytes constant bigint := case when not p_unread then p_max_bytes end;
  swept messenger.locked_messages;
  claim messenger.locked_messages;
  context record;
  leased record;
begin
  if (p_token is not null and p_max_messages between 0 and 10000 and p_lease_ms between 1 and 86400000
    and (p_slots < 0) is not true and p_start_within_ms between 1 and 60000 and p_max_bytes >= 0
    and jsonb_typeof(keys) = 'object') is not true
  then
    perform messenger.refuse_claim(p_token, p_max_messages, p_lease_ms, p_slots, p_start_within_ms, p_max_bytes);
  end if;
  if p_repeated then
    claim := messenger.lock_repeated(p_token, crashed_token, keys, p_max_bytes);
  end if;
  if claim.locked is null then
    if p_sweep then
      swept := messenger.lock_swept(p_queues, p_max_messages, keys, measured_bytes);
      p_max_messages := swept.room;
    end if;
    if p_max_messages = 0 then
      claim := messenger.locked_others('{}', keys);
    elsif p_quarantined then
      claim := messenger.lock_one_quarantined(p_queues, p_slots, p_start_within_ms, keys, measured_bytes);
    else
      claim := messenger.lock_shares(
        p_queues, p_max_messages, p_slots, p_start_within_ms, keys, measured_bytes - coalesce(swept.bytes, 0)
      );
    end if;
    claim := case when swept.locked is null then claim else messenger.join_locked(swept, claim) end;
  end if;
  context := messenger.claim_context(claim, p_queues, p_lease_ms, clock);
  if p_unread then
    leased := messenger.lease_apart(claim, p_token, crashed_token, p_lease_ms, clock);
    claim.more := claim.more or leased.refused > 0;
  else
    leased := messenger.lease_locked(claim, p_token, crashed_token, p_lease_ms, false, p_bare_stamps, clock);
  end if;
  return json_build_object(
    'messages', leased.messages, 'crashed', leased.crashed, 'token', p_token, 'crashed_token', crashed_token,
    'last_keys', claim.last_keys, 'lease_ms', context.lease_ms, 'lock_ms', claim.lock_ms,
    'bytes', claim.bytes, 'more', claim.more, 'oversized', context.oversized, 'rated', claim.rated,
    'now', clock, 'quarantined_due', context.quarantined_due, 'next_due_at', context.next_due_at
  );
end
$$;
comment on function messenger.claim_messages(
  uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint, boolean, boolean
) is
  'Part of messenger_claim: all of it but the errors of a project''s own triggers.';

-- A claim locks, sweeps and finds, leases, and hands out. `last_keys` is what the worker's last claim has returned:
-- this claim starts behind it, and makes a head scan of a queue that had come back short. `sweep` also hands out
-- messages whose lease ran out, as crashed; these, and messages that are larger than a worker can take, come
-- without payload. Where a payload can neither be sent nor measured, `unread` hands out all as crashed, and reads
-- none. A sweep also takes messages that are older than their ttl, from queues that are paused or full too, to be
-- buried. `run_alone`, as the workers of 0.1.0 call it too, asks for one quarantined message. A call whose answer
-- was lost is repeated with the same token and `repeated`, and gives the same messages. Of queues with a rate it
-- takes what the worker starts at once: at most `slots`, within `start_within_ms`. With `bare_stamps`, which
-- workers of 0.1.0 do not ask for, the envelope of a message that has no other rare value than stamps ends with
-- null and its stamps.
--
-- A claim in a savepoint would hide its locks from the others, which compare them with the transactions under way.
-- So a claim has one only where a trigger of the project's own may raise what PostgREST must not get. To ask for one
-- costs 5 us.
create function public.messenger_claim(
  token uuid, max_messages integer default 100, lease_ms integer default 60000, queues text[] default null,
  last_keys jsonb default null, run_alone boolean default false, sweep boolean default true,
  repeated boolean default false, slots integer default null, start_within_ms integer default 250,
  max_bytes bigint default 8388608, unread boolean default false, bare_stamps boolean default false
) returns json
language plpgsql
set search_path = ''
as $$
declare
  answer json;
  fault_detail text; place_of_fault text;
begin
  if not exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = 'public.messenger_messages'::regclass
      and (t.tgname < 'messenger_' or t.tgname > 'messenger`') and not t.tgisinternal
  ) then
    return messenger.claim_messages(
      token, max_messages, lease_ms, queues, last_keys, run_alone, sweep, repeated, slots, start_within_ms,
      max_bytes, unread, bare_stamps
    );
  end if;
  begin
    answer := messenger.claim_messages(
      token, max_messages, lease_ms, queues, last_keys, run_alone, sweep, repeated, slots, start_within_ms,
      max_bytes, unread, bare_stamps
    );
    perform messenger.check_deferred('messenger_claim');
    return answer;
  exception when query_canceled or others then
    get stacked diagnostics fault_detail = pg_exception_detail, place_of_fault = pg_exception_context;
    perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
    -- Of one row: the worker asks for fewer, and last for that row alone.
    if messenger.is_passing(sqlstate, fault_detail) and messenger.is_of_the_project(place_of_fault) then
      raise sqlstate 'PT500' using message = sqlerrm, detail = sqlstate;
    end if;
    raise;
  end;
end
$$;
comment on function public.messenger_claim(
  uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean, boolean
) is
  'Leases due messages and returns them as one JSON: messages and crashed (their lease ran out), each an array [id, type, payload, queue, priority, attempts, available_at and created_at in ms since 1970, group_key, null or [expires_at, expired, retry_count, stamps, quarantined, snoozes, interruptions]], with bare_stamps perhaps null and the stamps; crashed ones without payload; oversized (ids of those among them that no worker can take), last_keys for the next claim, quarantined_due, next_due_at, lease_ms (the shortest given), lock_ms (how long it took to find and lock them), bytes (of the messages, or more), more (bytes ended it, and there may be more), rated (queues with a rate).';
