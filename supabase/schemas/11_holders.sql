-- Holders of dedupe keys: the messages that a repeated dispatch meets. Mostly it gets the holder's id, and writes
-- nothing. With `dedupe` replace, and with a debounce, the holder takes the latest payload as long as no worker has
-- claimed it, and a debounce moves its due time.

create function messenger.replaces(p_message jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(p_message ->> 'dedupe' = 'replace', false) or p_message ->> 'dedupe_debounce_ms' is not null;
end
$$;
comment on function messenger.replaces(jsonb) is
  'Part of messenger_enqueue: whether the payload of this dispatch replaces that of a waiting message with its dedupe key.';

create function messenger.key_of(p_message jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return jsonb_build_array(p_message ->> 'type', p_message ->> 'dedupe_key')::text;
end
$$;
comment on function messenger.key_of(jsonb) is
  'Part of messenger_enqueue: type and dedupe key of a dispatch, as one text.';

-- A message that expired while it waited will not run, so no dispatch may be left out because of its key. One that
-- has started runs with the payload that it has, so a later payload needs a message of its own. The locks are taken
-- ascending by id, as everywhere, and before the states are read, which only then stay as they are.
create function messenger.free_keys(p_messages jsonb, p_places bigint[]) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  ids bigint[];
  replaced bigint[];
  freed bigint[];
  held jsonb;
begin
  with wanted as (
    select w.message ->> 'type' as type, w.message ->> 'dedupe_key' as dedupe_key,
      bool_or(messenger.replaces(w.message)) as replaces, messenger.key_of(min(w.message::text)::jsonb) as key
    from unnest(p_places) as r (place)
    cross join lateral (select p_messages -> (r.place - 1)::integer as message) as w
    group by 1, 2
  ),
  held as (
    select m.id, w.replaces, w.key
    from wanted w join public.messenger_messages m on m.type = w.type and m.dedupe_key = w.dedupe_key
    where w.replaces or m.status = 'pending' and m.expires_at <= clock
    order by m.id
    for update of m
  )
  select coalesce(array_agg(h.id), '{}'), coalesce(array_agg(h.id) filter (where h.replaces), '{}'),
    coalesce(jsonb_object_agg(h.key, h.id), '{}')
  into ids, replaced, held from held h;

  with cleared as (
    update public.messenger_messages m set dedupe_key = null
    where m.id = any (ids) and (
        m.status = 'pending' and m.expires_at <= clock
        or m.id = any (replaced) and (
          m.status <> 'pending' or m.attempts > 0 or m.snoozes > 0 or m.interruptions > 0 or m.stamps ? 'durable'
        )
      )
    returning m.id
  )
  select coalesce(array_agg(c.id), '{}') into freed from cleared c;
  return (select coalesce(jsonb_object_agg(h.key, h.value::bigint = any (freed)), '{}') from jsonb_each_text(held) as h);
end
$$;
comment on function messenger.free_keys(jsonb, bigint[]) is
  'Part of messenger_enqueue: takes dedupe keys from messages that have expired while they waited, and, for dispatches at these places that replace payloads, from those that have started. Locks the others that are replaced. Returns {key: whether it is free now} of what it has locked.';

-- The due time of a debounce moves with each repeat, but never further than dedupe_max_wait_ms from the first dispatch.
-- Its time to live counts from the latest one.
create function messenger.holder_of(p_message jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  ms constant interval := interval '1 millisecond';
  debounced constant double precision := (p_message ->> 'dedupe_debounce_ms')::double precision;
  max_wait constant double precision := (p_message ->> 'dedupe_max_wait_ms')::double precision;
  ttl constant double precision := (p_message ->> 'ttl_ms')::double precision;
  holder bigint;
begin
  if messenger.replaces(p_message) then
    update public.messenger_messages m
    set payload = coalesce(p_message -> 'payload', '{}'),
      -- The least of a moment and null is the moment.
      available_at = case
        when debounced is null then m.available_at
        else least(clock + debounced * ms, m.created_at + max_wait * ms)
      end,
      expires_at = case when debounced is null then m.expires_at else clock + ttl * ms end
    where m.type = p_message ->> 'type' and m.dedupe_key = p_message ->> 'dedupe_key'
      and m.status = 'pending' and m.attempts = 0
    returning m.id into holder;
  else
    select m.id into holder from public.messenger_messages m
    where m.type = p_message ->> 'type' and m.dedupe_key = p_message ->> 'dedupe_key';
  end if;
  return holder;
end
$$;
comment on function messenger.holder_of(jsonb) is
  'Part of messenger_enqueue: the id of the message that holds the dedupe key of this dispatch, after it has taken its payload and due time if the dispatch replaces them; null if there is none.';
