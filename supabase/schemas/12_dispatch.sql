-- The way in for SQL: triggers, functions, the SQL editor.

-- One expression, which returns the first problem of a dispatch, or null if there is none.
create function messenger.dispatch_problem(
  p_type text, p_delay interval, p_available_at timestamptz, p_queue text, p_priority integer,
  p_idempotency_key text, p_group_key text, p_ttl interval, p_dedupe_key text, p_dedupe text,
  p_dedupe_window interval, p_dedupe_debounce interval, p_dedupe_max_wait interval, p_transport text
) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  longest constant interval := interval '36525 days';
begin
  return case
    when p_type is null or length(p_type) not between 1 and 200
      then 'type: has to be a name of 1 to 200 characters'
    when p_queue is null or not messenger.is_queue_name(p_queue)
      then 'queue: has to be 1 to 100 letters, digits or _ . : -'
    when p_priority is null or p_priority not between -1000 and 1000
      then 'priority: has to be from -1000 to 1000'
    when p_delay < interval '0' then 'delay: has to be zero or more'
    when p_delay > longest then 'delay: has to be at most 100 years'
    when p_ttl > longest then 'ttl: has to be at most 100 years'
    when p_dedupe_window > longest then 'dedupe_window: has to be at most 100 years'
    when p_dedupe_debounce > longest then 'dedupe_debounce: has to be at most 100 years'
    when p_dedupe_max_wait > longest then 'dedupe_max_wait: has to be at most 100 years'
    when p_delay is not null and p_available_at is not null
      then 'delay: give either delay or available_at, not both'
    when not messenger.is_moment(p_available_at)
      then 'available_at: has to be a moment in the years 1 to 9999'
    when p_ttl <= interval '0' then 'ttl: has to be more than zero'
    when length(p_idempotency_key) not between 1 and 255
      then 'idempotency_key: has to be 1 to 255 characters'
    when length(p_group_key) not between 1 and 255 then 'group_key: has to be 1 to 255 characters'
    when length(p_dedupe_key) not between 1 and 255 then 'dedupe_key: has to be 1 to 255 characters'
    when p_dedupe_key is not null and p_idempotency_key is not null
      then 'dedupe_key: give either dedupe_key or idempotency_key, not both'
    when p_dedupe not in ('until-started', 'until-finished', 'replace')
      then 'dedupe: has to be until-started, until-finished or replace'
    when num_nonnulls(p_dedupe, p_dedupe_window, p_dedupe_debounce) > 1
      then 'dedupe: give one of dedupe, dedupe_window and dedupe_debounce'
    when p_dedupe_window <= interval '0' then 'dedupe_window: has to be more than zero'
    when p_dedupe_debounce <= interval '0' then 'dedupe_debounce: has to be more than zero'
    when p_dedupe_key is null and num_nonnulls(p_dedupe, p_dedupe_window, p_dedupe_debounce) > 0
      then 'dedupe_key: is required for dedupe, dedupe_window and dedupe_debounce'
    when p_dedupe_max_wait is not null and p_dedupe_debounce is null
      then 'dedupe_max_wait: goes with dedupe_debounce'
    when p_dedupe_max_wait < p_dedupe_debounce then 'dedupe_max_wait: has to be at least dedupe_debounce'
    when p_dedupe_debounce is not null and num_nonnulls(p_delay, p_available_at) > 0
      then 'dedupe_debounce: says when the message is due; give no delay or available_at'
    when p_ttl <= p_dedupe_debounce then 'ttl: has to be longer than dedupe_debounce'
    when p_transport is not null then 'transport: ' || messenger.transport_problem(p_transport)
  end;
end
$$;
comment on function messenger.dispatch_problem(
  text, interval, timestamptz, text, integer, text, text, interval, text, text, interval, interval, interval, text
) is
  'Part of messenger_dispatch: what is wrong with its arguments, beginning with the argument''s name; null where nothing is.';

create function messenger.to_ms(p_duration interval) returns double precision
language plpgsql stable
set search_path = ''
as $$
begin
  -- A month is as long as the one that begins now.
  return extract(epoch from public.messenger_now() + p_duration - public.messenger_now()) * 1000;
end
$$;
comment on function messenger.to_ms(interval) is 'How many ms a duration that begins now takes.';

create function public.messenger_dispatch(
  type text,
  payload jsonb default '{}',
  delay interval default null,
  available_at timestamptz default null,
  queue text default 'default',
  priority integer default 0,
  idempotency_key text default null,
  group_key text default null,
  ttl interval default null,
  dedupe_key text default null,
  dedupe text default null,
  dedupe_window interval default null,
  dedupe_debounce interval default null,
  dedupe_max_wait interval default null,
  transport text default null,
  traceparent text default null,
  lane text default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  into_queue constant text := messenger.lane_queue(queue, lane);
  problem constant text := coalesce(messenger.lane_problem(queue, lane), messenger.dispatch_problem(
    type, delay, available_at, into_queue, priority, idempotency_key, group_key, ttl, dedupe_key, dedupe,
    dedupe_window, dedupe_debounce, dedupe_max_wait, transport
  ));
begin
  if problem is not null then
    raise sqlstate 'PT400' using message = problem;
  end if;
  perform messenger.check_json(payload, 'payload');

  return (
    public.messenger_enqueue(
      jsonb_build_array(
        jsonb_build_object(
          'type', type, 'payload', payload, 'queue', into_queue, 'priority', priority,
          'available_at', available_at, 'delay_ms', messenger.to_ms(delay),
          'ttl_ms', messenger.to_ms(ttl), 'idempotency_key', idempotency_key,
          'group_key', group_key, 'dedupe_key', dedupe_key, 'dedupe', dedupe,
          'dedupe_window_ms', messenger.to_ms(dedupe_window),
          'dedupe_debounce_ms', messenger.to_ms(dedupe_debounce),
          'dedupe_max_wait_ms', messenger.to_ms(dedupe_max_wait), 'transport', transport,
          'stamps', messenger.trace_stamps(traceparent)
        )
      ),
      checked => true
    ) -> 'ids' ->> 0
  )::bigint;
end
$$;

comment on function public.messenger_dispatch(
  text, jsonb, interval, timestamptz, text, integer, text, text, interval, text, text, interval, interval, interval, text,
  text, text
) is
  'Dispatches one message inside the caller''s transaction and returns its id: select messenger_dispatch(''EmailMessage'', ''{"to":"a@b.c"}'', delay => interval ''5 minutes'').';
