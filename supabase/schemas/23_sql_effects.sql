-- SQL effects: a step of a handler that is a SQL function of the user's. The function runs, and its result is stored,
-- in one transaction under the message's lease, so that it takes effect exactly once. It is a call of its own: a
-- function that fails, or waits for a lock, holds up the message that calls it and no other.

-- The function of public with this name that takes these arguments. Each argument is given by its name.
create function messenger.effect_function(p_function text, p_args jsonb) returns pg_catalog.pg_proc
language plpgsql stable
set search_path = ''
as $$
declare
  candidate pg_catalog.pg_proc;
  found_function pg_catalog.pg_proc;
  names text[];
  is_known boolean := false;
begin
  if p_function is null then
    raise sqlstate 'PT400' using message = 'function: is required';
  end if;
  for candidate in
    select * from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = p_function and p.prokind = 'f'
      and p.provariadic = 0
  loop
    is_known := true;
    -- Without modes, all are arguments. The first ones of them have no default.
    names := array(
      select n.name from unnest(candidate.proargnames) with ordinality as n (name, place)
      where coalesce(candidate.proargmodes[n.place], 'i') in ('i', 'b') order by n.place
    );
    if cardinality(names) = candidate.pronargs and p_args ?& names[:candidate.pronargs - candidate.pronargdefaults]
      and array(select jsonb_object_keys(p_args)) <@ names
    then
      if found_function.oid is not null then
        raise sqlstate 'PT400' using message =
          format('function: several functions public.%I take these arguments', p_function);
      end if;
      found_function := candidate;
    end if;
  end loop;
  if found_function.oid is null then
    raise sqlstate 'PT400' using message = case
      when is_known then format(
        'args: no function public.%I takes the arguments (%s)', p_function,
        (select string_agg(k, ', ' order by k) from jsonb_object_keys(p_args) as k)
      )
      else format('function: there is no function public.%I (was %s)', p_function, p_function)
    end;
  end if;
  if not has_function_privilege('service_role', found_function.oid, 'execute') then
    raise sqlstate 'PT400' using message =
      format('function: public.%I may not be executed by service_role; grant execute to it', p_function);
  end if;
  return found_function;
end
$$;
comment on function messenger.effect_function(text, jsonb) is
  'Part of messenger_effect: the function of public that takes arguments of these names; PT400 if there is none, or several, or service_role may not execute it.';

-- to_jsonb writes NaN and infinity as text, so that only the type tells them from a text.
create function messenger.number_fault(p_type oid, p_value jsonb, p_path text) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  own pg_catalog.pg_type;
begin
  if jsonb_typeof(p_value) in ('string', 'array', 'object') is not true then
    return null;
  end if;
  select * into own from pg_catalog.pg_type t where t.oid = p_type;
  return case
    when own.typtype = 'd' then messenger.number_fault(own.typbasetype, p_value, p_path)
    when own.oid in ('real'::regtype, 'double precision'::regtype, 'numeric'::regtype) then p_path
    when own.typcategory = 'A' and jsonb_typeof(p_value) = 'array' then (
      select f.fault from jsonb_array_elements(p_value) with ordinality as e (value, place)
      -- An element of an array of several dimensions is an array too.
      cross join lateral messenger.number_fault(
        case jsonb_typeof(e.value) when 'array' then own.oid else own.typelem end, e.value,
        p_path || '.' || e.place - 1
      ) as f (fault)
      where f.fault is not null limit 1
    )
    when own.typtype = 'c' and jsonb_typeof(p_value) = 'object' then (
      select f.fault from pg_catalog.pg_attribute a
      cross join lateral messenger.number_fault(
        a.atttypid, p_value -> a.attname::text, p_path || '.' || a.attname
      ) as f (fault)
      where a.attrelid = own.typrelid and a.attnum > 0 and not a.attisdropped and f.fault is not null limit 1
    )
  end;
end
$$;
comment on function messenger.number_fault(oid, jsonb, text) is
  'Part of messenger_effect: the path of the first number that is NaN or infinite in the JSON of a value of this type; null if there is none.';

create function messenger.result_fault(p_function pg_catalog.pg_proc, p_result jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  fault text;
begin
  -- Nearly no result has such a text.
  if p_result::text !~ '"(NaN|-?Infinity)"' then
    return null;
  end if;
  select f.fault into fault
  from jsonb_array_elements(case when p_function.proretset then p_result else jsonb_build_array(p_result) end)
    with ordinality as r (value, place)
  cross join lateral (
    select case when p_function.proretset then 'result.' || r.place - 1 else 'result' end as path
  ) as p
  cross join lateral (
    select messenger.number_fault(p_function.prorettype, r.value, p.path)
    union all
    -- The columns of a record are the arguments that it returns.
    select messenger.number_fault(
      p_function.proallargtypes[c.place], r.value -> c.name, p.path || '.' || c.name
    )
    from unnest(p_function.proargnames) with ordinality as c (name, place)
    where p_function.prorettype = 'record'::regtype and p_function.proargmodes[c.place] in ('o', 'b', 't')
  ) as f (fault)
  where f.fault is not null
  order by r.place limit 1;
  return fault;
end
$$;
comment on function messenger.result_fault(pg_catalog.pg_proc, jsonb) is
  'Part of messenger_effect: the path of the first number in the JSON of a function''s result that is NaN or infinite; null if there is none.';

-- Runs with the search path of the Data API, for which users write their functions. Deferred constraints are checked
-- here, so that their violation is this function's error and not the commit's.
create function messenger.call_function(p_function pg_catalog.pg_proc, p_args jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  types constant oid[] := coalesce(
    -- An oidvector counts from 0.
    p_function.proallargtypes, string_to_array(p_function.proargtypes::text, ' ')::oid[]
  );
  given record;
  call text;
  result jsonb;
  fault text;
begin
  select string_agg(format('%I => a.%I', n.name, n.name), ', ') as passed,
    string_agg(format('%I %s', n.name, format_type(types[n.place], null)), ', ') as columns
  into given
  from unnest(p_function.proargnames) with ordinality as n (name, place)
  where p_args ? n.name and coalesce(p_function.proargmodes[n.place], 'i') in ('i', 'b');
  call := format(
    'from %s cross join lateral public.%I(%s) as f',
    case when given.columns is null then '(select) as a'
      else format('jsonb_to_record($1) as a (%s)', given.columns) end,
    p_function.proname, coalesce(given.passed, '')
  );
  perform set_config('search_path', 'public, extensions', true);
  if p_function.prorettype = 'void'::regtype then
    execute 'select count(*) ' || call using p_args;
  elsif p_function.proretset then
    execute 'select coalesce(jsonb_agg(to_jsonb(f)), ''[]'') ' || call into result using p_args;
  else
    execute 'select coalesce(to_jsonb(f), ''null'') ' || call into result using p_args;
  end if;
  set constraints all immediate;
  fault := messenger.result_fault(p_function, result);
  if fault is not null then
    raise sqlstate 'PT400' using message =
      format('%s: is NaN or infinite, which JSON does not have; return it as text', fault);
  end if;
  return result;
end
$$;
comment on function messenger.call_function(pg_catalog.pg_proc, jsonb) is
  'Part of messenger_effect: calls a function with named arguments. Returns its result as JSON: a value, a row as an object, a set as an array; null for void.';

-- `step` is {handler, name, key, nth, details?}. Returns {"result"} without it for void, {"stale": true} if another
-- worker has the message by now, and {"cancelled": true} if it is to be stopped, beside the result if it was cancelled
-- while the function ran. A conflict with another transaction is PT503: with its own SQLSTATE the API would repeat the
-- call without end.
create function public.messenger_effect(
  id bigint, token uuid, version jsonb, step jsonb, function text, args jsonb default '{}'
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  known record;
  result jsonb;
  is_cancelled boolean;
  fault_detail text;
begin
  if jsonb_typeof(args) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'args: has to be an object of arguments by name';
  end if;
  select m.cancelled into is_cancelled from public.messenger_messages m
  where m.id = messenger_effect.id and m.lease_token = token
  for no key update;
  if not found then
    return '{"stale": true}'::jsonb;
  elsif is_cancelled then
    return '{"cancelled": true}'::jsonb;
  end if;
  select s.status, s.result into known from public.messenger_steps s
  where (s.message_id, s.handler, s.name, s.key, s.nth)
    = (messenger_effect.id, step ->> 'handler', step ->> 'name', step ->> 'key', (step ->> 'nth')::integer);
  if known.status = 'done' then
    result := known.result;
  else
    result := messenger.call_function(messenger.effect_function(function, args), args);
    if pg_column_size(result) > 262144 and octet_length(result::text) > 262144 then
      raise sqlstate 'PT413' using message =
        format('result: has %s bytes; has to have at most 262144', octet_length(result::text));
    end if;
    perform messenger.check_json(result, 'result');
    -- A cancel that met the function has passed the message over.
    update public.messenger_messages m set cancelled = true
    where m.id = messenger_effect.id and exists (
        select from messenger.cancel_notes n where n.message_id = messenger_effect.id
      );
    is_cancelled := public.messenger_save_steps(jsonb_build_array(jsonb_build_object(
      'id', messenger_effect.id, 'token', token, 'version', version, 'steps', jsonb_build_array(
        step || '{"kind": "effect", "status": "done"}'
          || case when result is null then '{}' else jsonb_build_object('result', result) end
      )
    ))) ? 'cancelled';
  end if;
  return case when result is null then '{}' else jsonb_build_object('result', result) end
    || case when is_cancelled then '{"cancelled": true}' else '{}'::jsonb end;
exception when others then
  if left(sqlstate, 2) not in ('40', '55') then
    get stacked diagnostics fault_detail = pg_exception_detail;
    perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
    perform messenger.refuse_shape(sqlstate, 'step', step, (messenger.saves_shape() #> '{0,steps!,0}') - 'status!'::text);
    raise;
  end if;
  raise sqlstate 'PT503' using
    message = format('%s: met another transaction: %s', function, sqlerrm), detail = sqlstate;
end
$$;
comment on function public.messenger_effect(bigint, uuid, jsonb, jsonb, text, jsonb) is
  'ctx.effect: runs a SQL function of schema public once for a step of a running message, under the token of its lease, and stores the result in the same transaction. A repeated call returns the stored result.';
