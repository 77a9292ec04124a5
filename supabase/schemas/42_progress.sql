-- Progress: what handlers report of messages that run. It stands beside the hot table, whose rows stay
-- as they are while their handlers work.

create table messenger.progress (
  message_id bigint primary key,
  value double precision not null check (value between 0 and 1),
  note text check (length(note) <= 200),
  at timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.progress is
  'The latest progress that handlers reported of their messages. A row goes when its message is handled, or at the next prune.';
comment on column messenger.progress.message_id is
  'The message; no foreign key, which would be looked at for every message that goes.';
comment on column messenger.progress.value is
  'How much is done, from 0 to 1.';
comment on column messenger.progress.note is
  'The handler''s note about it; the dispatcher of the message may read it.';
comment on column messenger.progress.at is
  'When it was reported.';

alter table messenger.progress enable row level security;

-- `reports` is an array of {id, token, value, note?}. A report under another token than
-- the lease's is left out: another worker has the message.
create function public.messenger_report_progress(reports jsonb) returns void
language sql
set search_path = ''
as $$
  insert into messenger.progress (message_id, value, note, at)
  select m.id, r.value, r.note, public.messenger_now()
  from jsonb_to_recordset(reports) as r (
    id bigint, token uuid, value double precision, note text
  )
  join public.messenger_messages m on m.id = r.id
  where m.lease_token = r.token
  order by m.id
  for key share of m
  on conflict (message_id) do update
  set value = excluded.value, note = excluded.note, at = excluded.at
$$;
comment on function public.messenger_report_progress(jsonb) is
  'Writes what handlers report of messages they run, all of a worker''s in one call, fenced by the lease token.';

-- Returns null alike for an id that is unknown, no longer known, or another user's.
create function public.messenger_follow(id bigint, user_id text default null)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', f.id::text, 'type', f.type, 'status', f.status, 'reason', f.reason,
    'attempt', f.attempts, 'createdAt', f.created_at, 'availableAt', f.available_at,
    'finishedAt', f.finished_at,
    'progress', case
      when p.message_id is not null
      then jsonb_build_object('value', p.value, 'note', p.note, 'at', p.at)
    end
  )
  from (
    select 1 as place, m.id, m.type,
      case
        when m.status = 'processing' then 'processing'
        when m.attempts > 0 then 'retrying'
        else 'pending'
      end as status,
      null as reason, m.attempts, m.created_at, m.available_at, null as finished_at,
      m.stamps #>> '{user,id}' as user_id
    from public.messenger_messages m where m.id = messenger_follow.id
    union all
    select 2, d.id, d.type, case d.reason when 'cancelled' then 'cancelled' else 'failed' end,
      d.reason, d.attempts, d.created_at, null, d.failed_at, d.stamps #>> '{user,id}'
    from public.messenger_failed_messages d where d.id = messenger_follow.id
    union all
    select 3, h.id, h.type, 'handled', null, h.attempts, h.created_at, null, h.handled_at,
      h.user_id
    from public.messenger_handled_messages h
    where h.id = messenger_follow.id and h.keep_until > public.messenger_now()
  ) f
  -- A handled message has no progress any more, whether or not its row is deleted yet.
  left join messenger.progress p on p.message_id = f.id and f.status <> 'handled'
  where messenger_follow.user_id is null or f.user_id = messenger_follow.user_id
  order by f.place
  limit 1
$$;
comment on function public.messenger_follow(bigint, text) is
  'The state of a message: {"id", "type", "status", "reason", "attempt", "createdAt", "availableAt", "finishedAt", "progress"}, never its payload or its errors. With a user_id only of that user''s; null where there is none.';
