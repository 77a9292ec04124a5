-- Messages as operators see them, dead letters included: lists a page at a time, without payloads, and
-- single messages in full. Lists name their columns, for a row as a whole is read with its payload.
--
-- A page reads at most `max_scanned` rows, whatever its filter: it may come back short, with a `next`
-- to continue behind. So no list is slow on a large table, and the hot one needs no index for lists.

create function public.messenger_list_messages(
  status text default null,
  type text default null,
  queue text default null,
  before_id bigint default null,
  max_messages integer default 50,
  max_scanned integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select s.id, s.type, s.queue, s.priority, s.status, s.available_at, s.expires_at, s.retry_count,
      s.attempts, s.snoozes, s.interruptions, s.created_at, s.group_key, s.blocked, s.dedupe_key,
      s.quarantined, s.leased_until, s.cancelled, s.errors -> -1 ->> 'message' as error
    from (
      -- Rows that are leased are few, and their leases name them.
      select * from (
        select * from public.messenger_messages m
        where m.status = 'processing' and messenger_list_messages.status = 'processing'
          and m.id = any (array(select unnest(l.ids) from messenger.leases l))
          and m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
      ) as leased
      union all
      select * from (
        select * from public.messenger_messages m
        where messenger_list_messages.status is distinct from 'processing'
          and m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
        limit max_scanned
      ) as latest
    ) as s
    where (messenger_list_messages.status is null or s.status = messenger_list_messages.status)
      and (messenger_list_messages.type is null or s.type = messenger_list_messages.type)
      and (messenger_list_messages.queue is null or s.queue = messenger_list_messages.queue)
    limit max_messages
  )
  select jsonb_build_object(
    'messages', coalesce(
      jsonb_agg(
        to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc
      ),
      '[]'
    ),
    'next', case
      when count(*) = max_messages then min(f.id)
      when messenger_list_messages.status is distinct from 'processing' then (
        select m.id from public.messenger_messages m
        where m.id < coalesce(before_id, 9223372036854775807)
        order by m.id desc
        offset max_scanned - 1 limit 1
      )
    end::text
  )
  from found f
$$;
comment on function public.messenger_list_messages(text, text, text, bigint, integer, integer) is
  'Messages that wait or run, the latest first, those before an id, without payloads. Returns {"messages", "next"}; a page that met max_scanned is short, and next continues behind it.';

create function messenger.last_failed_scanned(
  p_type text, p_from timestamptz, p_until timestamptz, p_before_at timestamptz, p_before_id bigint,
  p_max_scanned integer
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  from_at constant timestamptz := coalesce(p_from, '-infinity');
  until_at constant timestamptz := coalesce(p_until, 'infinity');
  before_at constant timestamptz := coalesce(p_before_at, 'infinity');
  before_id constant bigint := coalesce(p_before_id, 9223372036854775807);
begin
  -- Two queries, for each has an index of its own.
  if p_type is not null then
    return (
      select jsonb_build_array(f.failed_at, f.id::text) from public.messenger_failed_messages f
      where f.type = p_type and (f.failed_at, f.id) < (before_at, before_id)
        and f.failed_at >= from_at and f.failed_at < until_at
      order by f.failed_at desc, f.id desc
      offset p_max_scanned - 1 limit 1
    );
  end if;
  return (
    select jsonb_build_array(f.failed_at, f.id::text) from public.messenger_failed_messages f
    where (f.failed_at, f.id) < (before_at, before_id)
      and f.failed_at >= from_at and f.failed_at < until_at
    order by f.failed_at desc, f.id desc
    offset p_max_scanned - 1 limit 1
  );
end
$$;
comment on function messenger.last_failed_scanned(
  text, timestamptz, timestamptz, timestamptz, bigint, integer
) is
  'Part of messenger_list_failed: [failed_at, id] of the last dead letter that a page scans; null where there are fewer.';

create function public.messenger_list_failed(
  type text default null,
  queue text default null,
  reason text default null,
  error text default null,
  failed_from timestamptz default null,
  failed_until timestamptz default null,
  before_at timestamptz default null, before_id bigint default null,
  max_messages integer default 50, max_scanned integer default 10000
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select s.id, s.type, s.queue, s.priority, s.status, s.reason, s.error, s.retry_count, s.attempts,
      s.redriven, s.group_key, s.created_at, s.failed_at
    from (
      select * from (
        select * from public.messenger_failed_messages f
        where f.type = messenger_list_failed.type
          and (f.failed_at, f.id)
            < (coalesce(before_at, 'infinity'), coalesce(before_id, 9223372036854775807))
          and f.failed_at >= coalesce(failed_from, '-infinity')
          and f.failed_at < coalesce(failed_until, 'infinity')
        order by f.failed_at desc, f.id desc
        limit max_scanned
      ) as of_type
      union all
      select * from (
        select * from public.messenger_failed_messages f
        where messenger_list_failed.type is null
          and (f.failed_at, f.id)
            < (coalesce(before_at, 'infinity'), coalesce(before_id, 9223372036854775807))
          and f.failed_at >= coalesce(failed_from, '-infinity')
          and f.failed_at < coalesce(failed_until, 'infinity')
        order by f.failed_at desc, f.id desc
        limit max_scanned
      ) as latest
    ) as s
    where (messenger_list_failed.queue is null or s.queue = messenger_list_failed.queue)
      and (messenger_list_failed.reason is null or s.reason = messenger_list_failed.reason)
      and (messenger_list_failed.error is null
        or position(lower(messenger_list_failed.error) in lower(s.error)) > 0)
    limit max_messages
  )
  select jsonb_build_object(
    'messages', coalesce(jsonb_agg(
      to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.failed_at desc, f.id desc
    ), '[]'),
    'next', case
      when count(*) = max_messages then (
        select jsonb_build_array(l.failed_at, l.id::text) from found l
        order by l.failed_at, l.id limit 1
      )
      else messenger.last_failed_scanned(
        messenger_list_failed.type, failed_from, failed_until, before_at, before_id, max_scanned
      ) end
  )
  from found f
$$;
comment on function public.messenger_list_failed(
  text, text, text, text, timestamptz, timestamptz, timestamptz, bigint, integer, integer
) is
  'Dead letters, the latest first, those before a moment and id, without payloads. Returns {"messages", "next"}; next is [failed_at, id], and a page that met max_scanned is short.';

create function public.messenger_show_message(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(m) - '{lease_token,heartbeated,dedupe_until_started}'::text[] || jsonb_build_object(
    'id', m.id::text, 'error', m.errors -> -1 ->> 'message', 'errors', coalesce(m.errors, '[]'),
    'payload', messenger.with_exact_numbers(m.payload), 'stamps', messenger.with_exact_numbers(m.stamps),
    'steps', messenger.shown_steps(m.id)
  )
  from public.messenger_messages m where m.id = messenger_show_message.id
$$;
comment on function public.messenger_show_message(bigint) is
  'A message that waits or runs, with its payload, history and durable steps; null if there is none of this id. Numbers that a double would change are text.';

create function public.messenger_show_failed(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(f) || jsonb_build_object(
    'id', f.id::text,
    'payload', messenger.with_exact_numbers(f.payload), 'stamps', messenger.with_exact_numbers(f.stamps),
    'steps', messenger.shown_steps(f.id)
  )
  from public.messenger_failed_messages f where f.id = messenger_show_failed.id
$$;
comment on function public.messenger_show_failed(bigint) is
  'A dead letter with its payload, history and durable steps; null if there is none of this id. Numbers that a double would change are text.';
