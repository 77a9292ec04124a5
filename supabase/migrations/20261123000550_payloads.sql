-- What SQL may put into a payload. jsonb keeps numbers of any length, but whoever handles a message
-- reads them as doubles: a number that would be another one there is refused here. What comes over
-- HTTPS and from code has been checked before.

-- Numbers of up to 15 digits are kept by every double, and jsonb's text has no exponents. So the
-- callers look for 16 digits or points in a row first, which costs next to nothing, and call this only
-- then.
create or replace function public.messenger_check_numbers(payload jsonb, field text) returns void
language plpgsql
set search_path = ''
-- With fewer digits, the text of a double would not be its exact value.
set extra_float_digits = 1
as $$
declare
  wrong record;
begin
  with recursive parts (path, value) as (
    select field, payload
    union all
    select p.path || '.' || child.key, child.value
    from parts p cross join lateral (
      select e.key, e.value
      from jsonb_each(case when jsonb_typeof(p.value) = 'object' then p.value end) as e
      union all
      select (a.position - 1)::text, a.value
      from jsonb_array_elements(case when jsonb_typeof(p.value) = 'array' then p.value end)
        with ordinality as a (value, position)
    ) as child
  ),
  numbers as materialized (
    select p.path, (p.value #>> '{}')::numeric as number
    from parts p where jsonb_typeof(p.value) = 'number'
  )
  select n.path, n.number into wrong
  from numbers n
  where case
    when abs(n.number) > 9007199254740991
      then n.number = trunc(n.number) or abs(n.number) > 1.7976931348623157e308
        or n.number <> n.number::double precision::text::numeric
    when n.number = 0 then false
    when abs(n.number) < 2.2250738585072014e-308 then true
    else n.number <> n.number::double precision::text::numeric
  end
  limit 1;

  if found then
    raise sqlstate 'PT400' using message = format(
      '%s: has to be a number that is kept exactly (was %s); give whole numbers beyond 2^53 - 1, '
      'and more digits than a double keeps, as text',
      wrong.path, left(wrong.number::text, 60)
    );
  end if;
end
$$;
comment on function public.messenger_check_numbers(jsonb, text) is
  'Refuses, with its path, a number in a payload that is another one as a double. Called only where the payload''s text has 16 digits or points in a row.';

revoke execute on function public.messenger_check_numbers(jsonb, text)
  from public, anon, authenticated;
grant execute on function public.messenger_check_numbers(jsonb, text) to service_role;

-- What messenger_enqueue takes from SQL is checked; what messages of the bus are made of is known.
create or replace function public.messenger_check_messages(messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  known constant text[] := array[
    'type', 'payload', 'queue', 'priority', 'delay_ms', 'available_at', 'ttl_ms',
    'idempotency_key', 'idempotency_scope', 'group_key', 'stamps', 'dedupe_key', 'dedupe',
    'dedupe_window_ms'
  ];
  message jsonb;
  place bigint;
  unknown text;
  wrong text;
  field text;
begin
  for message, place in
    select m.message, m.place - 1
    from jsonb_array_elements(messages) with ordinality as m (message, place)
  loop
    if jsonb_typeof(message) <> 'object' then
      raise sqlstate 'PT400' using message = format(
        'messages.%s: has to be an object (was a JSON %s)', place, jsonb_typeof(message)
      );
    end if;
    select k into unknown from jsonb_object_keys(message) as k where k <> all (known) limit 1;
    if found then
      raise sqlstate 'PT400' using message = format(
        'messages.%s.%s: is not known; a message has %s', place, unknown,
        array_to_string(known, ', ')
      );
    end if;
    wrong := case
      when num_nonnulls(message ->> 'delay_ms', message ->> 'available_at') = 2
        then 'delay_ms: give either delay_ms or available_at, not both'
      when message ->> 'available_at' ~* '^\s*[-+]?inf'
        then 'available_at: has to be a moment'
      when (message ->> 'delay_ms')::numeric < 0 then 'delay_ms: has to be zero or more'
      when num_nonnulls(message ->> 'dedupe_key', message ->> 'idempotency_key') = 2
        then 'dedupe_key: give either dedupe_key or idempotency_key, not both'
      when num_nonnulls(message ->> 'dedupe', message ->> 'dedupe_window_ms') = 2
        then 'dedupe: give either dedupe or dedupe_window_ms, not both'
      when message ->> 'dedupe' not in ('until-started', 'until-finished')
        then 'dedupe: has to be until-started or until-finished'
      when (message ->> 'dedupe_window_ms')::numeric <= 0
        then 'dedupe_window_ms: has to be more than zero'
      when message ->> 'dedupe_key' is null
        and num_nonnulls(message ->> 'dedupe', message ->> 'dedupe_window_ms') > 0
        then 'dedupe_key: is required for dedupe and dedupe_window_ms'
      when jsonb_typeof(message -> 'stamps') not in ('object', 'null')
        then 'stamps: has to be an object'
    end;
    if wrong is not null then
      raise sqlstate 'PT400' using message = format('messages.%s.%s', place, wrong);
    end if;
    foreach field in array array['payload', 'stamps'] loop
      if message ->> field ~ '[0-9.]{16}' then
        perform public.messenger_check_numbers(
          message -> field, format('messages.%s.%s', place, field)
        );
      end if;
    end loop;
  end loop;
end
$$;
comment on function public.messenger_check_messages(jsonb) is
  'Refuses messages with a field that is not known or contradicts another, or with a number that a reader would change.';

revoke execute on function public.messenger_check_messages(jsonb)
  from public, anon, authenticated;
grant execute on function public.messenger_check_messages(jsonb) to service_role;
