-- Checks of payloads that come from SQL. jsonb keeps numbers of any length, but handlers read them as doubles,
-- so a number that a double would change is refused here. Payloads that come over HTTPS or from code have been
-- checked before.

-- A double keeps every number of up to 15 digits, and jsonb's text has no exponents. So the callers first search
-- the text for 16 digits or points in a row, which costs next to nothing, and call this function only if they
-- find some.
create function messenger.inexact_numbers(p_json jsonb)
returns table (path text[], number numeric)
language plpgsql
set search_path = ''
-- With fewer digits, the text of a double would not be its exact value.
set extra_float_digits = 1
as $$
begin
  return query
  with recursive parts (path, value) as (
    select array[]::text[], p_json
    union all
    select p.path || child.key, child.value
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
  select n.path, n.number
  from numbers n
  where case
    when abs(n.number) > 9007199254740991
      then n.number = trunc(n.number) or abs(n.number) > 1.7976931348623157e308
        or n.number <> n.number::double precision::text::numeric
    when n.number = 0 then false
    -- Nearer to 0 than the smallest double, which a cast would refuse.
    when abs(n.number) < 5e-324 then true
    else n.number <> n.number::double precision::text::numeric
  end;
end
$$;
comment on function messenger.inexact_numbers(jsonb) is
  'The numbers in JSON that a double would change, each with its path.';

-- Operators' clients read doubles too, so that such a number would be shown as another one.
create function messenger.with_exact_numbers(p_json jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  inexact record;
begin
  if p_json::text ~ '[0-9.]{16}' then
    for inexact in select * from messenger.inexact_numbers(p_json) limit 1000 loop
      p_json := case
        -- Nothing can be set in a number.
        when cardinality(inexact.path) = 0 then to_jsonb(inexact.number::text)
        else jsonb_set(p_json, inexact.path, to_jsonb(inexact.number::text))
      end;
    end loop;
  end if;
  return p_json;
end
$$;
comment on function messenger.with_exact_numbers(jsonb) is
  'JSON for operators: numbers that a double would change, up to 1,000, are text with the stored digits.';

create function messenger.check_numbers(p_payload jsonb, p_field text) returns void
language plpgsql
set search_path = ''
as $$
declare
  wrong record;
begin
  select array_to_string(p_field || n.path, '.') as path, n.number into wrong
  from messenger.inexact_numbers(p_payload) n
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
comment on function messenger.check_numbers(jsonb, text) is
  'Refuses a number in a payload that a double would change, and names its path. Called only if the payload''s text has 16 digits or points in a row.';

-- TypeScript refuses a deeper nesting too (MAX_DEPTH): a parser's stack takes only a certain number of levels, and the
-- handler of such a message would fail. The path costs a sixth of the search for long numbers.
create function messenger.check_json(p_value jsonb, p_field text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_value::text ~ '[0-9.]{16}' then
    perform messenger.check_numbers(p_value, p_field);
  end if;
  if p_value @? 'strict $.**{100} ? (@.type() == "object" || @.type() == "array")' then
    raise sqlstate 'PT400' using message = format('%s: nested deeper than 100 levels', p_field);
  end if;
end
$$;
comment on function messenger.check_json(jsonb, text) is
  'Refuses a value in which a reader would change a number, or that has more than 100 levels of objects and arrays, and names its path.';

-- JavaScript and Postgres write moments after the year 9999 differently, and JavaScript knows no infinite moment.
create function messenger.is_moment(p_moment timestamptz) returns boolean
language sql immutable
set search_path = ''
as $$ select p_moment >= '0001-01-01 00:00Z' and p_moment < '10000-01-01 00:00Z' $$;
comment on function messenger.is_moment(timestamptz) is
  'Whether a moment is one that every part of the bus can read; null for null.';

create function messenger.reads_as_moment(p_value text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return messenger.is_moment(p_value::timestamptz);
exception
  when data_exception then return false;
end
$$;
comment on function messenger.reads_as_moment(text) is
  'Whether a text is a moment that every part of the bus can read; null for null.';

-- A field of a JSON message may hold a value of any kind. A cast to the column's type would fail without the name of
-- the field. So this function checks the value first, and returns an error text that names the field.
create function messenger.message_value(p_field text, p_value text) returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case p_field
    when 'type' then
      case when length(p_value) not between 1 and 200 then 'has to be a name of 1 to 200 characters' end
    when 'queue' then case
      when not messenger.is_queue_name(p_value) then 'has to be 1 to 100 letters, digits or _ . : -'
    end
    when 'priority' then case
      when p_value !~ '^-?\d{1,4}$' or p_value::integer not between -1000 and 1000
        then 'has to be a whole number from -1000 to 1000'
    end
    when 'available_at' then
      case when not messenger.reads_as_moment(p_value) then 'has to be a moment in the years 1 to 9999' end
    when 'dedupe' then case
      when p_value not in ('until-started', 'until-finished', 'replace')
        then 'has to be until-started, until-finished or replace'
    end
    when 'transport' then messenger.transport_problem(p_value)
    when 'idempotency_scope' then
      case when length(p_value) > 255 then 'has to be at most 255 characters' end
    else case
      when p_field like '%_key' then
        case when length(p_value) not between 1 and 255 then 'has to be 1 to 255 characters' end
      when p_value !~ '^-?\d{1,30}(\.\d+)?$' then 'has to be a number of milliseconds'
      when p_value::numeric < 0 then 'has to be zero or more'
      when p_value::numeric = 0 and p_field <> 'delay_ms' then 'has to be more than zero'
      when p_value::numeric > 3155760000000 then 'has to be at most 100 years'
    end
  end;
end
$$;
comment on function messenger.message_value(text, text) is
  'Part of messenger_enqueue: what is wrong with the value of one field of a message, read as text; null if nothing is.';

create function messenger.debounce_fault(p_message jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  debounce constant numeric := (p_message ->> 'dedupe_debounce_ms')::numeric;
  max_wait constant numeric := (p_message ->> 'dedupe_max_wait_ms')::numeric;
begin
  return case
    when debounce is null and max_wait is not null then 'dedupe_max_wait_ms: goes with dedupe_debounce_ms'
    when max_wait < debounce then 'dedupe_max_wait_ms: has to be at least dedupe_debounce_ms'
    when debounce is not null and p_message ->> 'delay_ms' is not null
      then 'delay_ms: does not go with dedupe_debounce_ms, which says when the message is due'
    when debounce is not null and p_message ->> 'available_at' is not null
      then 'available_at: does not go with dedupe_debounce_ms, which says when the message is due'
    when (p_message ->> 'ttl_ms')::numeric <= debounce then 'ttl_ms: has to be longer than dedupe_debounce_ms'
  end;
end
$$;
comment on function messenger.debounce_fault(jsonb) is
  'Part of messenger_enqueue: what is wrong with the times of a debounced message, beginning with the field; null if nothing is.';

create function messenger.message_fault(p_message jsonb) returns text
language plpgsql
set search_path = ''
as $$
declare
  known constant text[] := array[
    'type', 'payload', 'queue', 'priority', 'delay_ms', 'available_at', 'ttl_ms',
    'idempotency_key', 'idempotency_scope', 'group_key', 'stamps', 'dedupe_key', 'dedupe',
    'dedupe_window_ms', 'dedupe_debounce_ms', 'dedupe_max_wait_ms', 'transport'
  ];
  field text;
  wrong text;
begin
  for field in select jsonb_object_keys(p_message) loop
    if field <> all (known) then
      return format('%s: is not known; a message has %s', field, array_to_string(known, ', '));
    end if;
    continue when field in ('payload', 'stamps');
    wrong := case jsonb_typeof(p_message -> field)
      when 'string' then messenger.message_value(field, p_message ->> field)
      -- A key may be the number of a row; a name or a moment is no number.
      when 'number' then case
        when field in ('type', 'queue', 'transport', 'dedupe', 'available_at') then 'has to be text (was a JSON number)'
        else messenger.message_value(field, p_message ->> field)
      end
      when 'null' then null
      else format('has to be text or a number (was a JSON %s)', jsonb_typeof(p_message -> field))
    end;
    if wrong is not null then
      return format('%s: %s', field, wrong);
    end if;
  end loop;
  return case
    when p_message ->> 'type' is null then 'type: is required'
    when num_nonnulls(p_message ->> 'delay_ms', p_message ->> 'available_at') = 2
      then 'delay_ms: give either delay_ms or available_at, not both'
    when (p_message ->> 'ttl_ms')::numeric <= (p_message ->> 'delay_ms')::numeric
      then 'ttl_ms: has to be longer than delay_ms'
    when public.messenger_now() + (p_message ->> 'ttl_ms')::double precision * interval '1 millisecond'
      <= (p_message ->> 'available_at')::timestamptz
      then 'ttl_ms: has to end after available_at'
    when num_nonnulls(p_message ->> 'dedupe_key', p_message ->> 'idempotency_key') = 2
      then 'dedupe_key: give either dedupe_key or idempotency_key, not both'
    when jsonb_typeof(p_message -> 'stamps') not in ('object', 'null')
      then 'stamps: has to be an object'
    when num_nonnulls(
      p_message ->> 'dedupe', p_message ->> 'dedupe_window_ms', p_message ->> 'dedupe_debounce_ms'
    ) > 1
      then 'dedupe: give one of dedupe, dedupe_window_ms and dedupe_debounce_ms'
    when p_message ->> 'dedupe_key' is null
      and num_nonnulls(
        p_message ->> 'dedupe', p_message ->> 'dedupe_window_ms', p_message ->> 'dedupe_debounce_ms'
      ) > 0
      then 'dedupe_key: is required for dedupe, dedupe_window_ms and dedupe_debounce_ms'
    else messenger.debounce_fault(p_message)
  end;
end
$$;
comment on function messenger.message_fault(jsonb) is
  'Part of messenger_enqueue: the first field of a message that is not known, has a wrong value or contradicts another, and what is wrong; null if nothing is.';

-- Postgres reads all rows if a LIMIT is null, and names no argument if it is below zero.
create function messenger.page_size(p_size integer, p_field text) returns integer
language plpgsql immutable
set search_path = ''
as $$
begin
  if (p_size between 1 and 1000000) is not true then
    raise sqlstate 'PT400' using message =
      format('%s: has to be from 1 to 1000000 (was %s)', p_field, coalesce(p_size::text, 'null'));
  end if;
  return p_size;
end
$$;
comment on function messenger.page_size(integer, text) is
  'The number of rows that a list may return or read; refuses one that is missing, below 1 or above 1,000,000.';

-- A call of a worker, or of the edge functions. jsonb_to_recordset would refuse anything else without the parameter's name.
create function messenger.check_rows(p_rows jsonb, p_field text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if jsonb_typeof(p_rows) is distinct from 'array' or p_rows @? 'strict $[*] ? (@.type() != "object")' then
    raise sqlstate 'PT400' using message = format('%s: has to be an array of objects', p_field);
  end if;
end
$$;
comment on function messenger.check_rows(jsonb, text) is
  'Refuses a parameter that is no array of objects, and names it.';

-- Checks messages that messenger_enqueue gets from SQL. Messages that the bus itself makes need no check.
create function messenger.check_messages(p_messages jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- One check of all messages costs a tenth of a check of each.
  is_deep constant boolean := p_messages @? 'strict $[*].*.**{100} ? (@.type() == "object" || @.type() == "array")';
  message jsonb;
  place bigint;
  wrong text;
  field text;
begin
  for message, place in
    select m.message, m.place - 1
    from jsonb_array_elements(p_messages) with ordinality as m (message, place)
  loop
    if jsonb_typeof(message) <> 'object' then
      raise sqlstate 'PT400' using message = format(
        'messages.%s: has to be an object (was a JSON %s)', place, jsonb_typeof(message)
      );
    end if;
    wrong := messenger.message_fault(message);
    if wrong is not null then
      raise sqlstate 'PT400' using message = format('messages.%s.%s', place, wrong);
    end if;
    foreach field in array array['payload', 'stamps'] loop
      if is_deep or message ->> field ~ '[0-9.]{16}' then
        perform messenger.check_json(message -> field, format('messages.%s.%s', place, field));
      end if;
    end loop;
  end loop;
end
$$;
comment on function messenger.check_messages(jsonb) is
  'Refuses messages with a field that is not known, has a wrong value or contradicts another, with a number that a reader would change, or nested deeper than 100 levels.';
