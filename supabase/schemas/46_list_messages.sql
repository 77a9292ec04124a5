-- Messages as operators see them, dead letters included: lists a page at a time, without payloads, and
-- single messages in full. Lists name their columns, for a row as a whole is read with its payload.
--
-- A page reads at most `max_scanned` rows, whatever its filter: it may come back short, with a `next`
-- to continue behind. So no list is slow on a large table, and the hot one needs no index for lists. The
-- filters are those of operations on many messages, in 25_filters.sql.

-- The columns are read of the rows of the page alone, so that no error of another row is decompressed.
create function messenger.list_page(
  p_is_failed boolean, p_columns text, p_filter jsonb, p_place jsonb, p_max_messages integer, p_max_scanned integer
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  by_id constant boolean := messenger.is_by_id(p_filter, p_is_failed);
  backwards constant text := case when by_id then 'f.id desc' else 'f.failed_at desc, f.id desc' end;
  place constant text := case when p_is_failed then 'jsonb_build_array(f.failed_at, f.id::text)' else 'to_jsonb(f.id::text)' end;
  relation constant text := case when p_is_failed then 'messenger_failed_messages' else 'messenger_messages' end;
  range constant text := case
    -- Rows that are leased are few, and their leases name them.
    when p_filter ->> 'status' = 'processing' then
      'f.id < ($2 ->> ''id'')::bigint and f.id = any (array(select unnest(l.ids) from messenger.leases l))'
    else messenger.range_condition(p_filter, p_is_failed, true)
  end;
  page jsonb;
begin
  perform messenger.check_ranges(p_filter);
  perform messenger.page_size(p_max_messages, 'max_messages'), messenger.page_size(p_max_scanned, 'max_scanned');
  execute format(
    $query$
      with found as (
        select %1$s, row_number() over (order by %2$s) as position, %3$s as place
        from (select * from public.%4$I f where %5$s order by %2$s limit $4) as f
        where %6$s
        order by %2$s limit $3
      )
      select jsonb_build_object(
        'messages', coalesce(
          jsonb_agg(to_jsonb(l) - '{position,place}'::text[] || jsonb_build_object('id', l.id::text) order by l.position),
          '[]'
        ),
        'next', case
          when count(*) = $3 then (array_agg(l.place order by l.position desc))[1]
          else (select %3$s from public.%4$I f where %5$s order by %2$s offset $4 - 1 limit 1)
        end
      ) from found l
    $query$,
    p_columns, backwards, place, relation, range, messenger.wanted_condition('list', p_filter, p_is_failed)
  ) into page using p_filter, p_place, p_max_messages, p_max_scanned;
  return page;
end
$$;
comment on function messenger.list_page(boolean, text, jsonb, jsonb, integer, integer) is
  'Part of the lists of messages and dead letters: one page of the rows that match a filter, from a place backwards: {"messages", "next"}.';

create function public.messenger_list_messages(
  status text default null,
  type text default null,
  queue text default null,
  before_id bigint default null,
  max_messages integer default 50,
  max_scanned integer default 10000,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null,
  error text default null
) returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.list_page(
    false,
    'f.id, f.type, f.queue, f.priority, f.status, f.available_at, f.expires_at, f.retry_count, f.attempts, f.snoozes,
      f.interruptions, f.created_at, f.group_key, f.blocked, f.dedupe_key, f.quarantined, f.leased_until, f.cancelled,
      f.errors -> -1 ->> ''message'' as error, f.stamps #>> ''{user,id}'' as "user"',
    jsonb_strip_nulls(jsonb_build_object(
      'status', status, 'type', type, 'queue', queue, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until, 'error', error
    )),
    jsonb_build_object('id', coalesce(before_id, 9223372036854775807)::text), max_messages, max_scanned
  )
$$;
comment on function public.messenger_list_messages(
  text, text, text, bigint, integer, integer, text, text, timestamptz, timestamptz, text
) is
  'Messages that wait or run, without payloads, the latest first. "error" is a text that the last error contains. Returns {"messages", "next"}: next is the before_id of the next page. A page reads at most max_scanned rows, so that it may have few messages and a next.';

create function public.messenger_list_failed(
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  before_at timestamptz default null, before_id bigint default null,
  max_messages integer default 50, max_scanned integer default 10000,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null
) returns jsonb
language sql stable
set search_path = ''
as $$
  select messenger.list_page(
    true,
    'f.id, f.type, f.queue, f.priority, f.status, f.reason, f.error, f.retry_count, f.attempts, f.redriven, f.group_key,
      f.created_at, f.failed_at, f.stamps #>> ''{user,id}'' as "user"',
    jsonb_strip_nulls(jsonb_build_object(
      'type', type, 'queue', queue, 'reason', reason, 'error', error,
      'failed_from', failed_from, 'failed_until', failed_until, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until
    )),
    jsonb_build_object(
      'at', coalesce(before_at, 'infinity'), 'id', coalesce(before_id, 9223372036854775807)::text
    ),
    max_messages, max_scanned
  )
$$;
comment on function public.messenger_list_failed(
  text, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer, integer, text, text, timestamptz,
  timestamptz
) is
  'Dead letters without payloads, the latest first: by the time at which they failed, with user_id by id. Returns {"messages", "next"}: next is [before_at, before_id] of the next page. A page reads at most max_scanned rows, so that it may have few dead letters and a next.';

-- Reads what one page of the list reads at most, so that the groups of a large table are those of its latest rows.
create function public.messenger_group_failed(
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  before_at timestamptz default null, before_id bigint default null,
  max_groups integer default 50, max_scanned integer default 10000,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  filter constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'type', type, 'queue', queue, 'reason', reason, 'error', error,
    'failed_from', failed_from, 'failed_until', failed_until, 'group_key', group_key, 'user_id', user_id,
    'created_from', created_from, 'created_until', created_until
  ));
  place constant jsonb := jsonb_build_object(
    'at', coalesce(before_at, 'infinity'), 'id', coalesce(before_id, 9223372036854775807)::text
  );
begin
  return messenger.failed_groups(filter, place, max_groups, max_scanned);
end
$$;
comment on function public.messenger_group_failed(
  text, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer, integer, text, text, timestamptz,
  timestamptz
) is
  'The latest max_scanned dead letters, grouped by type, reason and error, the largest groups first. Returns {"groups", "left_out": how many groups are beyond max_groups, "scanned": how many dead letters were read, "next"}; next is [before_at, before_id] of the next page, null if all were read.';

create function messenger.failed_groups(
  p_filter jsonb, p_place jsonb, p_max_groups integer, p_max_scanned integer
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  backwards constant text := case
    when messenger.is_by_id(p_filter, true) then 'f.id desc' else 'f.failed_at desc, f.id desc'
  end;
  groups jsonb;
begin
  perform messenger.check_ranges(p_filter);
  perform messenger.page_size(p_max_groups, 'max_groups'), messenger.page_size(p_max_scanned, 'max_scanned');
  -- An error may be long; the filter takes 1,000 characters, in which one may be two.
  execute format(
    $query$
      with scanned as materialized (
        select f.id, f.type, f.reason, left(f.error, 500) as error, f.failed_at, %1$s as wanted,
          row_number() over (order by %2$s) as position
        from public.messenger_failed_messages f where %3$s order by %2$s limit $4
      ),
      grouped as (
        select s.type, s.reason, s.error, count(*) as count, min(s.failed_at) as first_failed_at,
          max(s.failed_at) as last_failed_at, max(s.id)::text as last_id
        from scanned s where s.wanted group by 1, 2, 3
        order by 4 desc, 6 desc, 1, 2, 3
      ),
      shown as (select to_jsonb(g) as shown, row_number() over () as position from grouped g limit $3)
      select jsonb_build_object(
        'groups', coalesce((select jsonb_agg(w.shown order by w.position) from shown w), '[]'),
        'left_out', greatest((select count(*) from grouped) - $3, 0), 'scanned', (select count(*) from scanned),
        'next', (select jsonb_build_array(l.failed_at, l.id::text) from scanned l where l.position = $4)
      )
    $query$,
    messenger.wanted_condition('list', p_filter, true), backwards, messenger.range_condition(p_filter, true, true)
  ) into groups using p_filter, p_place, p_max_groups, p_max_scanned;
  return groups;
end
$$;
comment on function messenger.failed_groups(jsonb, jsonb, integer, integer) is
  'Part of messenger_group_failed: the groups of the dead letters that match a filter, among the latest p_max_scanned before a place.';

create function public.messenger_show_message(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(m) - '{lease_token,heartbeated,dedupe_until_started,held_until_claim}'::text[] || jsonb_build_object(
    'id', m.id::text, 'error', m.errors -> -1 ->> 'message', 'errors', coalesce(m.errors, '[]'),
    'payload', messenger.with_exact_numbers(m.payload), 'stamps', messenger.with_exact_numbers(m.stamps),
    'steps', messenger.shown_steps(m.id), 'relations', messenger.relations(m.id, m.stamps)
  )
  from public.messenger_messages m where m.id = messenger_show_message.id
$$;
comment on function public.messenger_show_message(bigint) is
  'A message that waits or runs, with its payload, history, durable steps and relations; null if there is none of this id. Numbers that a double would change are text.';

create function public.messenger_show_failed(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(f) || jsonb_build_object(
    'id', f.id::text,
    'payload', messenger.with_exact_numbers(f.payload), 'stamps', messenger.with_exact_numbers(f.stamps),
    'steps', messenger.shown_steps(f.id), 'relations', messenger.relations(f.id, f.stamps)
  )
  from public.messenger_failed_messages f where f.id = messenger_show_failed.id
$$;
comment on function public.messenger_show_failed(bigint) is
  'A dead letter with its payload, history, durable steps and relations; null if there is none of this id. Numbers that a double would change are text.';
