-- Shapes: what a JSON argument has to be, for the error that names a field. Calls of workers are not checked before they
-- run, which would cost each of them. A call that fails with an error of data looks for the field that is no value of
-- its shape; where there is none, the error is another's, such as that of a project's own trigger, and stays as it is.
--
-- A shape is JSON. A text is a type of Postgres, or queue for its name, and perhaps the values that are allowed:
-- "bigint", "double precision 0..1", "text a|b", "text 1..255" (characters). An object has the shapes of its fields. A
-- field whose name ends in ! is required; one whose name ends in + may be left out, and not be null. The field * stands
-- for all fields. An array has the shape of its elements.

create function messenger.reads_as(p_value text, p_type text) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  -- A call may name thousands of ids, and a cast that may fail needs a savepoint.
  if p_type = 'queue' then
    return messenger.is_queue_name(p_value);
  elsif p_type = 'text' or p_type = 'bigint' and p_value ~ '^\d{1,18}$'
    or p_type = 'uuid' and p_value ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
  then
    return true;
  end if;
  execute format('select $1::%s', p_type) using p_value;
  return true;
exception when data_exception then
  return false;
end
$$;
comment on function messenger.reads_as(text, text) is
  'Whether a text is a value of a type, or the name of a queue.';

create function messenger.type_problem(p_value text, p_shape text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  type constant text := substring(p_shape from '^(?:double precision|[a-z]+)');
  allowed constant text := nullif(substr(p_shape, length(type) + 2), '');
begin
  if not messenger.reads_as(p_value, type) then
    return 'has to be ' || case type
      when 'smallint' then 'a whole number from -32768 to 32767'
      when 'integer' then 'a whole number from -2147483648 to 2147483647'
      when 'bigint' then 'a whole number from -9223372036854775808 to 9223372036854775807'
      when 'boolean' then 'true or false'
      when 'uuid' then 'a UUID'
      when 'timestamptz' then 'a moment'
      when 'queue' then '1 to 100 letters, digits or _ . : -'
      else 'a number'
    end;
  elsif strpos(allowed, '..') > 0 then
    return case
      when case type when 'text' then length(p_value) else p_value::double precision end
        between split_part(allowed, '..', 1)::double precision and split_part(allowed, '..', 2)::double precision
      then null
      else replace(format('has to be from %s%s', allowed, case type when 'text' then ' characters' end), '..', ' to ')
    end;
  elsif p_value <> all (string_to_array(allowed, '|')) then
    return 'has to be one of ' || replace(allowed, '|', ', ');
  end if;
  return null;
end
$$;
comment on function messenger.type_problem(text, text) is
  'Part of messenger.shape_fault(): what is wrong with a value that is no object or array, read as text; null if nothing is.';

create function messenger.shape_fault(p_field text, p_value jsonb, p_shape jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  kind constant text := jsonb_typeof(p_shape);
  problem text;
  part record;
begin
  if kind = 'string' and coalesce(p_value, 'null') <> 'null' then
    problem := messenger.type_problem(p_value #>> '{}', p_shape #>> '{}');
  elsif coalesce(p_value, 'null') <> 'null' and jsonb_typeof(p_value) <> kind then
    problem := 'has to be an ' || kind;
  end if;
  if problem is not null then
    return format('%s: %s (was %s)', p_field, problem, left(p_value::text, 60));
  end if;
  for part in
    select (v.place - 1)::text as name, v.value, p_shape -> 0 as shape, '!' as mark
    from jsonb_array_elements(case when kind = 'array' and p_value <> 'null' then p_value end)
      with ordinality as v (value, place)
    union all
    select f.name, p_value -> f.name, s.value, s.mark
    from jsonb_each(case when kind = 'object' and p_value <> 'null' then p_shape end) as d (key, value)
    cross join lateral (select rtrim(d.key, '!+') as name, d.value, right(d.key, 1) as mark) as s
    cross join lateral (
      select jsonb_object_keys(p_value) as name where s.name = '*'
      union all
      select s.name where s.name <> '*'
    ) as f
  loop
    if part.mark = '!' and coalesce(part.value, 'null') = 'null' then
      return format('%s.%s: is required', p_field, part.name);
    elsif part.mark = '+' and part.value = 'null' then
      return format('%s.%s: has to have a value, or to be left out', p_field, part.name);
    end if;
    problem := messenger.shape_fault(p_field || '.' || part.name, part.value, part.shape);
    if problem is not null then
      return problem;
    end if;
  end loop;
  return null;
end
$$;
comment on function messenger.shape_fault(text, jsonb, jsonb) is
  'The first field of a value that is none of its shape, and what is wrong with it, as "field: problem"; null if the value has the shape.';

create function messenger.refuse_shape(p_sqlstate text, p_field text, p_value jsonb, p_shape jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  fault text;
begin
  if left(p_sqlstate, 2) in ('22', '23') then
    fault := messenger.shape_fault(p_field, p_value, p_shape);
    if fault is not null then
      raise sqlstate 'PT400' using message = fault, detail = p_sqlstate;
    end if;
  end if;
end
$$;
comment on function messenger.refuse_shape(text, text, jsonb, jsonb) is
  'Part of a call that has failed: where its error is one of data, raises PT400 with the first field that is none of its shape.';

-- An expression with a pattern tells an operator little.
create function messenger.allowed_values(p_table text, p_constraint text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  expression constant text := (
    select regexp_replace(
      regexp_replace(pg_catalog.pg_get_expr(c.conbin, c.conrelid, true), '::\w+(\[\])?', '', 'g'),
      '^\w+ = ANY \(ARRAY\[(.*)\]\)$', 'one of \1'
    )
    from pg_catalog.pg_constraint c
    where c.conrelid = format('public.%I', p_table)::regclass and c.conname = p_constraint
  );
begin
  return case p_constraint
    when 'messenger_schedules_queue_check' then 'be 1 to 100 letters, digits or _ . : -, and may name a lane behind a slash'
    when 'messenger_webhook_endpoints_url_check'
      then 'be an http or https URL without spaces, of at most 2000 characters'
    when 'messenger_webhook_endpoints_events_check'
      then 'have 1 to 100 names such as order.paid, prefixes such as order.*, or * for all'
    when 'messenger_webhook_endpoints_secret_check'
      then 'be the name of a secret in Vault, webhook_ and 1 to 200 letters, digits or _ . : -'
    else case when starts_with(expression, 'one of ') then 'be ' else 'fit ' end || expression
  end;
end
$$;
comment on function messenger.allowed_values(text, text) is
  'Part of messenger.not_allowed(): which values a check of a column allows, as they follow "it has to".';

-- The text of a check is "field: problem" where its name says it, as a trigger's own refusal does.
create function messenger.not_allowed(p_table text, p_constraint text, p_given jsonb default null) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  field constant text := regexp_replace(p_constraint, '^' || p_table || '_(.*)_check\d*$', '\1');
begin
  if strpos(p_constraint, ': ') > 0 then
    return p_constraint;
  end if;
  return format(
    '%s: has a value that is not allowed%s%s', field, ' (was ' || left((p_given -> field)::text, 60) || ')',
    '; it has to ' || messenger.allowed_values(p_table, p_constraint)
  );
end
$$;
comment on function messenger.not_allowed(text, text, jsonb) is
  'Part of settings: what is wrong with a value that a check of its column refuses, with the given value and those that the check allows.';
