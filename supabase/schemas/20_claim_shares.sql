-- Sharing out a claim: how many messages of each queue it takes, by weight and within limits.

-- Locks due messages of several queues. Each gets its share by weight; what some do not use goes to the queues
-- that have more. `p_limited` says which of them have limits, and `p_rated` which have a rate: the rated ones
-- give together at most `p_slots`. `p_keys` says where the last claim ended in each queue, and `p_first_keys`
-- where its first due message is, as far as these are known. Messages that do not fit into `p_max_bytes` stay,
-- and `more` says so; one message comes in any case. Null measures nothing.
create function messenger.lock_shares(
  p_open_queues text[], p_weights integer[], p_limited boolean[], p_rated boolean[], p_max_messages integer,
  p_slots integer, p_start_window_ms integer, p_keys jsonb,
  p_max_bytes bigint default 8388608, p_first_keys jsonb default '{}',
  out locked tid[], out keys jsonb, out bytes bigint, out oversized tid[], out more boolean
)
language plpgsql
set search_path = ''
as $$
declare
  -- How many messages the limits allow each queue: asked for when its turn comes and something waits there.
  rooms integer[];
  -- Positions of the queues that may have more.
  busy integer[] := array(select generate_subscripts(p_open_queues, 1));
  still_busy integer[];
  share numeric;
  place integer;
  room integer := p_max_messages;
  asked integer;
  locked_here tid[];
  living integer;
  fit record;
begin
  locked := '{}';
  keys := p_keys;
  bytes := 0;
  oversized := '{}';
  more := false;
  while room > 0 and cardinality(busy) > 0 loop
    still_busy := '{}';
    share := room::numeric / (select sum(p_weights[b.place]) from unnest(busy) as b (place));
    foreach place in array busy loop
      exit when room = 0;
      if p_limited[place] and rooms[place] is null then
        rooms[place] := case when exists (
          select from messenger.ready_messages m
          where m.queue = p_open_queues[place]
        ) then messenger.queue_room(p_open_queues[place], p_slots) else 0 end;
      end if;
      asked := least(
        room, ceil(share * p_weights[place]), rooms[place], case when p_rated[place] then p_slots end
      );
      continue when asked <= 0;
      locked_here := messenger.lock_due(
        p_open_queues[place], asked, keys -> p_open_queues[place], locked,
        p_first_keys -> p_open_queues[place]
      );
      if cardinality(locked_here) > 0 and p_max_bytes is not null then
        fit := messenger.fit_bytes(locked_here, p_max_bytes - bytes, bytes = 0);
        bytes := bytes + fit.bytes;
        oversized := oversized || fit.oversized;
        if fit.fitting < cardinality(locked_here) then
          more := true;
          locked_here := locked_here[1:fit.fitting];
          asked := fit.fitting;
        end if;
      end if;
      if asked > 0 and cardinality(locked_here) = asked then
        still_busy := still_busy || place;
        keys := keys || jsonb_build_object(p_open_queues[place], (
          select jsonb_build_array(m.priority, m.available_at, m.id::text)
          from public.messenger_messages m where m.ctid = locked_here[asked]
        ));
      else
        keys := keys - p_open_queues[place];
      end if;
      if p_limited[place] then
        -- Expired messages are given to be buried, and take neither a place nor a start from the others.
        living := (
          select count(*) from public.messenger_messages m
          where m.ctid = any (locked_here)
            and (m.expires_at <= public.messenger_now()) is not true
        );
        rooms[place] := rooms[place] - living;
      end if;
      if p_rated[place] then
        p_slots := p_slots - messenger.grant_starts(
          p_open_queues[place], living, p_start_window_ms
        );
      end if;
      room := case when more then 0 else room - cardinality(locked_here) end;
      locked := locked || locked_here;
    end loop;
    busy := still_busy;
  end loop;
end
$$;
comment on function messenger.lock_shares(
  text[], integer[], boolean[], boolean[], integer, integer, integer, jsonb, bigint, jsonb
) is
  'Part of a claim: locks due messages of several queues, shared out by weight within their limits. Returns where they lie, which of them no worker can take, where it ended in each queue, and whether the bytes ended it.';
