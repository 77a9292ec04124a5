-- Filters: which messages or dead letters an operator means, in lists and in operations on many alike. A filter is an
-- object of the fields that were given; its conditions are the text of a query.

-- Such a range has no moment in it, so that it is a mistake and no filter.
create function messenger.check_ranges(p_filter jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  field text;
begin
  foreach field in array array['created', 'failed', 'sent'] loop
    if (p_filter ->> (field || '_until'))::timestamptz <= (p_filter ->> (field || '_from'))::timestamptz then
      raise sqlstate 'PT400' using message = format('%1$s_until: has to come after %1$s_from', field);
    end if;
  end loop;
end
$$;
comment on function messenger.check_ranges(jsonb) is
  'Refuses a filter with a range of time that ends where it begins, or before.';

create function messenger.check_filter(p_filter jsonb, p_everything boolean)
returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  given constant jsonb := jsonb_strip_nulls(p_filter);
  field text;
begin
  -- A null argument and one that was left out look the same, so null filters nothing.
  if given = '{}' and p_everything is not true then
    raise sqlstate 'PT400' using
      message = format(
        'filter: give at least one of %s, or "all" => true',
        (
          select string_agg(f.name, ', ') from unnest(
            array[
              'ids', 'transport', 'type', 'queue', 'reason', 'error', 'failed_from', 'failed_until', 'group_key', 'user_id',
              'created_from', 'created_until'
            ]
          ) as f (name)
          where p_filter ? f.name
        )
      ),
      hint = 'A filter that is null is none. Whatever is meant for all messages has to say so.';
  end if;
  if given <> '{}' and p_everything then
    raise sqlstate 'PT400' using message = format(
      'all: goes with no other filter (%s was given)',
      (select string_agg(f.name, ', ') from jsonb_object_keys(given) as f (name))
    );
  end if;
  if exists (
    select from jsonb_array_elements(given -> 'ids') as i where jsonb_typeof(i) <> 'number'
  ) then
    raise sqlstate 'PT400' using message = 'ids: have to be a list of ids without null';
  end if;
  perform messenger.check_ranges(given);
  select f.key into field from jsonb_each(given) as f where f.value = '""' limit 1;
  if field is not null then
    raise sqlstate 'PT400' using message =
      format('%s: is empty; leave it out, or give a value', field);
  end if;
  return given;
end
$$;
comment on function messenger.check_filter(jsonb, boolean) is
  'Part of a step: leaves out the fields that were not given. Refuses a field that is empty or wrong, and an empty filter, unless "all" says that every message is meant.';

-- A query has conditions for the given filters only, so that Postgres plans it for them and finds an index. Each range
-- has an index that also has its order: dead letters by age, of all types or of one; both tables by id, and by user and
-- id; the messages that wait in one group by id.
create function messenger.is_by_id(p_filter jsonb, p_is_failed boolean) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return not p_is_failed or p_filter ?| array['ids', 'user_id'];
end
$$;
comment on function messenger.is_by_id(jsonb, boolean) is
  'Whether rows are read in the order of their ids: messages, and dead letters by ids or of a user. Other dead letters are read by the time at which they failed.';

-- Messages of a group that wait and those that run have an index each.
create function messenger.group_condition(p_backwards boolean) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return format(
    $condition$f.id = any (array(
      select w.id from public.messenger_messages w
      where w.queue = $1 ->> 'queue' and w.group_key = $1 ->> 'group_key' and not w.heartbeated
        and w.id %s ($2 ->> 'id')::bigint
      order by w.id %s limit $4
    ) || array(
      select r.id from public.messenger_messages r
      where r.queue = $1 ->> 'queue' and r.group_key = $1 ->> 'group_key' and r.heartbeated
    ))$condition$,
    case when p_backwards then '<' else '>' end, case when p_backwards then 'desc' end
  );
end
$$;
comment on function messenger.group_condition(boolean) is
  'Part of messenger.range_condition(): the condition for the messages of one group of a queue.';

create function messenger.range_condition(
  p_filter jsonb, p_is_failed boolean, p_backwards boolean default false
) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  beyond constant text := case when p_backwards then '<' else '>' end;
begin
  return concat_ws(
    ' and ',
    case
      when p_filter ? 'ids' then 'f.id = any ($3)'
      when messenger.is_by_id(p_filter, p_is_failed) then format('f.id %s ($2 ->> ''id'')::bigint', beyond)
      else format('(f.failed_at, f.id) %s (($2 ->> ''at'')::timestamptz, ($2 ->> ''id'')::bigint)', beyond)
    end,
    case when p_filter ? 'user_id' then 'f.stamps #>> ''{user,id}'' = $1 ->> ''user_id''' end,
    case when p_filter ? 'failed_from' then 'f.failed_at >= ($1 ->> ''failed_from'')::timestamptz' end,
    case when p_filter ? 'failed_until' then 'f.failed_at < ($1 ->> ''failed_until'')::timestamptz' end,
    -- A message fails after it was made, so that its range ends here too.
    case
      when p_filter ? 'created_from' and p_is_failed then 'f.failed_at >= ($1 ->> ''created_from'')::timestamptz'
    end,
    case when p_filter ? 'type' and p_is_failed then 'f.type = $1 ->> ''type''' end,
    case
      when p_filter ?& array['queue', 'group_key'] and not p_filter ? 'ids' and not p_is_failed
        and not messenger.lanes_hold(p_filter ->> 'queue')
        then messenger.group_condition(p_backwards)
    end
  );
end
$$;
comment on function messenger.range_condition(jsonb, boolean, boolean) is
  'Part of messenger.next_matches() and messenger.list_page(): the condition on the indexed columns, of rows behind the place, or before it if p_backwards. In its query, $1 is the filter, $2 the place, $3 the ids and $4 the largest number of rows.';

create function messenger.wanted_condition(
  p_operation text, p_filter jsonb, p_is_failed boolean
) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return concat_ws(
    ' and ',
    case p_operation
      when 'cancel' then 'not f.cancelled'
      -- A message that fails again after the first step is not redriven once more by a later one. SQL may have written a
      -- time that lies ahead of every clock.
      when 'redrive' then '(f.failed_at <= ($2 ->> ''since'')::timestamptz or f.failed_at > clock_timestamp())'
      when 'run' then 'f.status = ''pending'' and f.available_at > public.messenger_now()'
      else 'true'
    end,
    case when p_filter ? 'status' then 'f.status = $1 ->> ''status''' end,
    case when p_filter ? 'type' and not p_is_failed then 'f.type = $1 ->> ''type''' end,
    case when p_filter ? 'user_id' then 'f.stamps #>> ''{user,id}'' = $1 ->> ''user_id''' end,
    case when p_filter ? 'queue' then '$1 ->> ''queue'' in (f.queue, split_part(f.queue, ''/'', 1))' end,
    case when p_filter ? 'group_key' then 'f.group_key = $1 ->> ''group_key''' end,
    case when p_filter ? 'created_from' then 'f.created_at >= ($1 ->> ''created_from'')::timestamptz' end,
    case when p_filter ? 'created_until' then 'f.created_at < ($1 ->> ''created_until'')::timestamptz' end,
    case when p_filter ? 'reason' then 'f.reason = $1 ->> ''reason''' end,
    case
      when p_filter ? 'error' then format(
        'strpos(lower(%s), lower($1 ->> ''error'')) > 0',
        case when p_is_failed then 'f.error' else 'f.errors -> -1 ->> ''message''' end
      )
    end
  );
end
$$;
comment on function messenger.wanted_condition(text, jsonb, boolean) is
  'Part of messenger.next_matches() and messenger.list_page(): the condition that is checked on each row of the range. In its query, $1 is the filter, $2 the place.';
