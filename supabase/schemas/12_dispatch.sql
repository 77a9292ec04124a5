-- The way in for SQL: triggers, functions, the SQL editor.
create or replace function public.messenger_dispatch(
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
  dedupe_window interval default null
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  longest constant interval := interval '36525 days';
begin
  if type is null or length(type) not between 1 and 200 then
    raise sqlstate 'PT400' using message = 'type: has to be a name of 1 to 200 characters';
  end if;
  if queue is null or queue !~ '^[A-Za-z0-9_.:-]{1,100}$' then
    raise sqlstate 'PT400'
      using message = 'queue: has to be 1 to 100 letters, digits or _ . : -';
  end if;
  if priority is null or priority not between -1000 and 1000 then
    raise sqlstate 'PT400' using message = 'priority: has to be from -1000 to 1000';
  end if;
  if delay < interval '0' then
    raise sqlstate 'PT400' using message = 'delay: has to be zero or more';
  end if;
  if greatest(delay, ttl, dedupe_window) > longest then
    raise sqlstate 'PT400' using message = format(
      '%s: has to be at most 100 years', case when delay > longest then 'delay'
        when ttl > longest then 'ttl' else 'dedupe_window' end
    );
  end if;
  if delay is not null and available_at is not null then
    raise sqlstate 'PT400' using message = 'delay: give either delay or available_at, not both';
  end if;
  if not messenger.is_moment(available_at) then
    raise sqlstate 'PT400'
      using message = 'available_at: has to be a moment in the years 1 to 9999';
  end if;
  if ttl <= interval '0' then
    raise sqlstate 'PT400' using message = 'ttl: has to be more than zero';
  end if;
  if length(idempotency_key) not between 1 and 255 then
    raise sqlstate 'PT400' using message = 'idempotency_key: has to be 1 to 255 characters';
  end if;
  if length(group_key) not between 1 and 255 then
    raise sqlstate 'PT400' using message = 'group_key: has to be 1 to 255 characters';
  end if;
  if length(dedupe_key) not between 1 and 255 then
    raise sqlstate 'PT400' using message = 'dedupe_key: has to be 1 to 255 characters';
  end if;
  if dedupe_key is not null and idempotency_key is not null then
    raise sqlstate 'PT400'
      using message = 'dedupe_key: give either dedupe_key or idempotency_key, not both';
  end if;
  if dedupe not in ('until-started', 'until-finished') then
    raise sqlstate 'PT400' using message = 'dedupe: has to be until-started or until-finished';
  end if;
  if dedupe is not null and dedupe_window is not null then
    raise sqlstate 'PT400' using message = 'dedupe: give either dedupe or dedupe_window, not both';
  end if;
  if dedupe_window <= interval '0' then
    raise sqlstate 'PT400' using message = 'dedupe_window: has to be more than zero';
  end if;
  if dedupe_key is null and num_nonnulls(dedupe, dedupe_window) > 0 then
    raise sqlstate 'PT400' using message = 'dedupe_key: is required for dedupe and dedupe_window';
  end if;
  if payload::text ~ '[0-9.]{16}' then
    perform messenger.check_numbers(payload, 'payload');
  end if;

  return (
    public.messenger_enqueue(
      jsonb_build_array(
        jsonb_build_object(
          'type', type, 'payload', payload, 'queue', queue, 'priority', priority,
          'available_at', available_at,
          'delay_ms', extract(
            epoch from public.messenger_now() + delay - public.messenger_now()
          ) * 1000,
          'ttl_ms', extract(epoch from public.messenger_now() + ttl - public.messenger_now()) * 1000,
          'idempotency_key', idempotency_key, 'group_key', group_key, 'dedupe_key', dedupe_key,
          'dedupe', dedupe, 'dedupe_window_ms', extract(
            epoch from public.messenger_now() + dedupe_window - public.messenger_now()
          ) * 1000
        )
      ),
      checked => true
    ) -> 'ids' ->> 0
  )::bigint;
end
$$;

comment on function public.messenger_dispatch(
  text, jsonb, interval, timestamptz, text, integer, text, text, interval, text, text, interval
) is
  'Dispatches one message inside the caller''s transaction and answers its id: select messenger_dispatch(''EmailMessage'', ''{"to":"a@b.c"}'', delay => interval ''5 minutes'').';
