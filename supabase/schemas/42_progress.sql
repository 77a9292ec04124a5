-- Progress: what handlers report of messages that run, and the durable step that runs. It stands beside the hot table,
-- whose rows stay as they are while their handlers work.

create table messenger.progress (
  message_id bigint primary key,
  value double precision check (value between 0 and 1),
  note text check (length(note) <= 200),
  at timestamptz not null,
  step jsonb,
  step_token uuid,
  constraint "step: has to have at most 8192 bytes" check (pg_column_size(step) <= 8192)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.progress is
  'The latest progress that handlers reported of their messages, and the durable step that ran last for a second. A row goes when its message is handled or redriven, or at the next prune.';
comment on column messenger.progress.message_id is
  'The message; no foreign key, which would be looked at for every message that goes.';
comment on column messenger.progress.value is
  'How much is done, from 0 to 1; null if the handler has reported nothing.';
comment on column messenger.progress.note is
  'The handler''s note about it; the dispatcher of the message may read it.';
comment on column messenger.progress.at is
  'When it was reported.';
comment on column messenger.progress.step is
  'A durable step that has run for a second or more: {"handler", "name", "key", "nth", "kind", "began_at"}. It runs no longer once it is stored or the lease is another one.';
comment on column messenger.progress.step_token is
  'Token of the lease under which the step was told.';

alter table messenger.progress enable row level security;

-- `reports` is an array of {id, token, value?, note?, step?}, with a value or a step or both; `step` is {handler, name,
-- key, nth, kind, ran_ms}. A report under another token than the lease's is left out: another worker has the message.
create function public.messenger_report_progress(reports jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  perform messenger.check_rows(reports, 'reports');
  insert into messenger.progress as p (message_id, value, note, at, step, step_token)
  select m.id, r.value, r.note, public.messenger_now(),
    r.step - 'ran_ms' || jsonb_build_object(
      'began_at', public.messenger_now() - (r.step ->> 'ran_ms')::double precision * interval '1 millisecond'
    ),
    case when r.step is not null then r.token end
  from jsonb_to_recordset(reports) as r (
    id bigint, token uuid, value double precision, note text, step jsonb
  )
  join public.messenger_messages m on m.id = r.id
  where m.lease_token = r.token
  order by m.id
  for key share of m
  on conflict (message_id) do update
  set value = coalesce(excluded.value, p.value),
    note = case when excluded.value is null then p.note else excluded.note end,
    at = case when excluded.value is null then p.at else excluded.at end,
    step = coalesce(excluded.step, p.step), step_token = coalesce(excluded.step_token, p.step_token);
  perform messenger.check_deferred('messenger_report_progress');
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_shape(sqlstate, 'reports', reports, '[{
    "id!": "bigint", "token!": "uuid", "value": "double precision 0..1", "note": "text 0..200",
    "step": {"nth": "integer", "ran_ms": "double precision 0..3155760000000"}
  }]');
  raise;
end
$$;
comment on function public.messenger_report_progress(jsonb) is
  'Writes what handlers report of messages they run, and the steps that run for long, all of a worker''s in one call, fenced by the lease token.';
