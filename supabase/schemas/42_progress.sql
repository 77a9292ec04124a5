-- Progress: what handlers report of messages that run. It stands beside the hot table, whose rows stay
-- as they are while their handlers work.

create table messenger.progress (
  message_id bigint primary key,
  value double precision not null check (value between 0 and 1),
  note text check (length(note) <= 200),
  at timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.progress is
  'The latest progress that handlers reported of their messages. A row goes when its message is handled or redriven, or at the next prune.';
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
