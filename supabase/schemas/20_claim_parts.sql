-- Parts of a claim that are rare: the refusal of its arguments, a repeated call, the sweep, and one quarantined
-- message. Each part that locks messages returns one row of the type messenger.locked_messages.

create type messenger.locked_messages as (
  locked tid[],
  bytes bigint,
  oversized tid[],
  more boolean,
  last_keys jsonb,
  room integer,
  queues text[],
  counted text[],
  rated text[],
  leases jsonb,
  lock_ms double precision
);
comment on type messenger.locked_messages is
  'Messages that a part of a claim has locked, and the settings of their queues.';
comment on column messenger.locked_messages.locked is
  'Ctids of the messages.';
comment on column messenger.locked_messages.bytes is
  'Bytes of the messages, or an upper bound.';
comment on column messenger.locked_messages.oversized is
  'Ctids of the messages that no worker can take.';
comment on column messenger.locked_messages.more is
  'The limit of bytes ended the claim, and there may be more messages.';
comment on column messenger.locked_messages.last_keys is
  'Where the next claim starts in each queue.';
comment on column messenger.locked_messages.room is
  'How many messages the claim may still take.';
comment on column messenger.locked_messages.queues is
  'Queues of the messages, perhaps with further queues; null if they have to be read from the messages.';
comment on column messenger.locked_messages.counted is
  'Queues with a concurrency: their running messages are counted.';
comment on column messenger.locked_messages.rated is
  'Queues with a rate.';
comment on column messenger.locked_messages.leases is
  'Queues with leases of their own, and how long these last, in ms.';
comment on column messenger.locked_messages.lock_ms is
  'How long it took to find and lock due messages, in ms.';

create function messenger.refuse_claim(
  p_token uuid, p_max_messages integer, p_lease_ms integer, p_slots integer, p_start_within_ms integer,
  p_max_bytes bigint
) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT400' using message = case
    when p_token is null then 'token: is required'
    when (p_max_messages between 0 and 10000) is not true then 'max_messages: has to be from 0 to 10000'
    when (p_lease_ms between 1 and 86400000) is not true then 'lease_ms: has to be from 1 to 86400000'
    when p_slots < 0 then 'slots: has to be zero or more'
    when (p_start_within_ms between 1 and 60000) is not true then 'start_within_ms: has to be from 1 to 60000'
    when (p_max_bytes >= 0) is not true then 'max_bytes: has to be zero or more'
    else 'last_keys: has to be an object, as a claim has returned it'
  end;
end
$$;
comment on function messenger.refuse_claim(uuid, integer, integer, integer, integer, bigint) is
  'Part of a claim that was given a wrong argument: raises the error that names it.';

create function messenger.locked_others(
  p_locked tid[], p_last_keys jsonb, p_bytes bigint default 0, p_oversized tid[] default '{}'
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  claim messenger.locked_messages;
begin
  claim.locked := p_locked;
  claim.bytes := p_bytes;
  claim.oversized := p_oversized;
  claim.more := false;
  claim.last_keys := p_last_keys;
  claim.lock_ms := 0;
  select coalesce(array_agg(m.queue) filter (where q.concurrency is not null or l.concurrency is not null), '{}'),
    coalesce(array_agg(m.queue) filter (where q.rate_limit is not null or l.rate_limit is not null), '{}'),
    coalesce(jsonb_object_agg(m.queue, q.lease_ms) filter (where q.lease_ms is not null), '{}')
  into claim.counted, claim.rated, claim.leases
  from (select distinct r.queue from public.messenger_messages r where r.ctid = any (p_locked)) as m
  cross join lateral (
    select s.concurrency, s.rate_limit, s.lease_ms from public.messenger_queues s
    where s.name = split_part(m.queue, '/', 1) offset 0
  ) as q
  cross join lateral messenger.settings_of(m.queue) as l;
  return claim;
end
$$;
comment on function messenger.locked_others(tid[], jsonb, bigint, tid[]) is
  'Part of a claim: locked messages that are not the due ones of its open queues, with the settings of their queues.';

create function messenger.lock_repeated(
  p_token uuid, p_crashed_token uuid, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  locked constant tid[] := array(
    select m.ctid from public.messenger_messages m
    where m.id = any (array(
        select unnest(l.ids) from messenger.leases l where l.token in (p_token, p_crashed_token)
      ))
      and m.lease_token in (p_token, p_crashed_token) and not m.cancelled
    for update
  );
begin
  if cardinality(locked) = 0 then
    return null;
  end if;
  return messenger.locked_others(locked, p_last_keys, p_max_bytes);
end
$$;
comment on function messenger.lock_repeated(uuid, uuid, jsonb, bigint) is
  'Part of a claim that is repeated: locks the messages that it leased the first time, if there are any; null where there are none.';

create function messenger.sweep_notes(p_careful boolean) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_careful then
    begin
      perform messenger.sweep_notes(false);
    exception when others then
      raise warning 'groups, batches and waits were left to the next sweep: %', sqlerrm;
    end;
    return;
  end if;
  perform messenger.reopen_noted_groups();
  perform messenger.sweep_cancels();
  perform messenger.sweep_batches();
  perform messenger.wake_noted_waiters();
end
$$;
comment on function messenger.sweep_notes(boolean) is
  'Part of a sweep: what other calls have noted for it. Carefully, an error leaves it to the next sweep and the claim continues.';

-- The number is bounded, and each message that is handed out gets a new lease, so that messages that crash every
-- worker never keep back the others.
create function messenger.lock_swept(
  p_queues text[], p_max_messages integer, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  expired tid[];
  past_ttl record;
  claim messenger.locked_messages;
begin
  perform messenger.sweep_notes(p_max_bytes is null);
  expired := messenger.lock_expired(p_queues);
  past_ttl := messenger.lock_past_ttl(p_queues, p_max_messages, p_max_bytes);
  if cardinality(expired) > 0 or cardinality(past_ttl.locked) > 0 then
    claim := messenger.locked_others(
      expired || past_ttl.locked, p_last_keys, past_ttl.bytes, past_ttl.oversized
    );
  end if;
  -- A claim may take one message of any size. Beside half of the allowed bytes that would be too much.
  claim.more := coalesce(past_ttl.bytes > p_max_bytes / 2, false);
  claim.room := case when claim.more then 0 else p_max_messages - cardinality(past_ttl.locked) end;
  return claim;
end
$$;
comment on function messenger.lock_swept(text[], integer, jsonb, bigint) is
  'Part of a claim, the sweep: locks messages whose lease ran out or that are older than their ttl, and says for how many others it leaves room.';

create function messenger.lock_one_quarantined(
  p_queues text[], p_slots integer, p_start_window_ms integer, p_last_keys jsonb, p_max_bytes bigint
) returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
declare
  locked constant tid[] := messenger.lock_quarantined(p_queues, p_slots);
  fit record;
begin
  perform messenger.grant_starts(m.queue, 1, p_start_window_ms),
    messenger.grant_starts(nullif(split_part(m.queue, '/', 1), m.queue), 1, p_start_window_ms)
  from public.messenger_messages m
  where m.ctid = any (locked) and (m.expires_at <= public.messenger_now()) is not true;
  if p_max_bytes is null then
    return messenger.locked_others(locked, p_last_keys);
  end if;
  fit := messenger.fit_bytes(locked, p_max_bytes, true);
  return messenger.locked_others(locked, p_last_keys, fit.bytes, fit.oversized);
end
$$;
comment on function messenger.lock_one_quarantined(text[], integer, integer, jsonb, bigint) is
  'Part of a claim that asks for a quarantined message: locks one and counts it against the rate of its queue.';

create function messenger.join_locked(p_swept messenger.locked_messages, p_claim messenger.locked_messages)
returns messenger.locked_messages
language plpgsql
set search_path = ''
as $$
begin
  p_claim.locked := p_swept.locked || p_claim.locked;
  p_claim.bytes := p_swept.bytes + p_claim.bytes;
  p_claim.oversized := p_swept.oversized || p_claim.oversized;
  p_claim.more := p_swept.more or p_claim.more;
  p_claim.queues := null;
  p_claim.counted := p_swept.counted || p_claim.counted;
  p_claim.rated := array(select unnest(p_swept.rated) union select unnest(p_claim.rated));
  p_claim.leases := p_swept.leases || p_claim.leases;
  return p_claim;
end
$$;
comment on function messenger.join_locked(messenger.locked_messages, messenger.locked_messages) is
  'Part of a claim: the messages of the sweep and those that the claim has locked beside, as one.';
