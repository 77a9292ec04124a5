-- The runs of schedules: one row for each planned time, with its outcome. The row makes the occurrence unique.
-- messenger_prune_schedule_runs bounds their number.

create table public.messenger_schedule_runs (
  schedule_id bigint not null references public.messenger_schedules on delete cascade,
  occurrence timestamptz not null,
  run integer,
  triggered boolean not null default false,
  message_id bigint,
  outcome text not null check (outcome in ('enqueued', 'handled', 'failed', 'skipped')),
  reason text,
  enqueued_at timestamptz,
  finished_at timestamptz,
  primary key (schedule_id, occurrence)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table public.messenger_schedule_runs is
  'The latest runs of each schedule: planned time, message and outcome. An occurrence is here once, whatever ticks overlap.';
comment on column public.messenger_schedule_runs.schedule_id is
  'The schedule.';
comment on column public.messenger_schedule_runs.occurrence is
  'Planned time of the run; for a triggered run, when it was asked for.';
comment on column public.messenger_schedule_runs.run is
  'Number of the run; 0 for a triggered run that does not count; null if the run was skipped.';
comment on column public.messenger_schedule_runs.triggered is
  'Whether an operator triggered the run.';
comment on column public.messenger_schedule_runs.message_id is
  'The message; null where the run was skipped.';
comment on column public.messenger_schedule_runs.outcome is
  'enqueued: the message waits or runs. handled: its handlers have succeeded. failed: it is a dead letter, or could not be made. skipped: the run made no message, for the reason given.';
comment on column public.messenger_schedule_runs.reason is
  'Why it was skipped, or why its message became a dead letter.';
comment on column public.messenger_schedule_runs.enqueued_at is
  'When the message was made; null where the run was skipped.';
comment on column public.messenger_schedule_runs.finished_at is
  'When the message was handled or became a dead letter.';

create index messenger_schedule_runs_message_idx
  on public.messenger_schedule_runs (message_id) where message_id is not null;
comment on index public.messenger_schedule_runs_message_idx is
  'The run of a message, to record its outcome.';

create index messenger_schedule_runs_failed_idx
  on public.messenger_schedule_runs (schedule_id, occurrence) where outcome = 'failed';
comment on index public.messenger_schedule_runs_failed_idx is
  'Runs that failed, for the alert that a schedule fails again and again.';

alter table public.messenger_schedule_runs enable row level security;

create function messenger.finish_schedule_runs(
  p_message_ids bigint[], p_outcome text, p_reasons text[] default null
) returns void
language sql
set search_path = ''
as $$
  update public.messenger_schedule_runs r
  set outcome = p_outcome,
    reason = ended.reason,
    finished_at = public.messenger_now()
  from unnest(p_message_ids, p_reasons) as ended (message_id, reason)
  where r.message_id = ended.message_id
$$;
comment on function messenger.finish_schedule_runs(bigint[], text, text[]) is
  'Part of settling: records the outcome of messages that schedules made.';

-- Deletes runs that are old, and all but the latest runs of each schedule. A run whose message still waits
-- stays. Takes one step: 100 schedules at a time, up to about 10,000 runs.
create function public.messenger_prune_schedule_runs(
  older_than interval default interval '30 days',
  keep integer default 100,
  dry_run boolean default false,
  after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  ends_at constant timestamptz := clock_timestamp() + interval '3 seconds';
  place bigint := coalesce(messenger.place_after(after), 0);
  schedules bigint[];
  number integer;
  total integer := 0;
  fault_detail text;
begin
  perform messenger.check_age('older_than', older_than);
  perform messenger.begin_step(null, null, dry_run);
  if keep is null or keep < 1 then
    raise sqlstate 'PT400' using message = 'keep: has to be at least 1';
  end if;

  loop
    schedules := array(
      select s.id from public.messenger_schedules s where s.id > place order by s.id limit 100
    );
    number := messenger.prune_runs_of(schedules, older_than, keep, dry_run);
    total := total + number;
    -- A full chunk may have left some of these schedules' runs.
    if number < 1000 or dry_run then place := schedules[100]; end if;
    exit when place is null or total >= 10000 or clock_timestamp() >= ends_at;
  end loop;
  perform messenger.check_deferred('messenger_prune_schedule_runs');
  return jsonb_build_object(
    'schedule_runs', total, 'matched', total, 'done', case when dry_run then 0 else total end,
    'next', case when place is not null then jsonb_build_object('id', place::text) end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune_schedule_runs(interval, integer, boolean, jsonb) is
  'Deletes runs of schedules older than an age, and all but the latest `keep` of each schedule. pg_cron calls it hourly. Takes one step of about 10,000 runs, behind the "next" of the step before if "after" is given. Returns {"schedule_runs", "matched", "done", "next"}; dry_run only counts.';

create function messenger.prune_runs_of(
  p_schedules bigint[], p_older_than interval, p_keep integer, p_dry_run boolean
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  pruned integer;
begin
  with bounds as (
    select s.id, greatest(
      public.messenger_now() - p_older_than,
      (
        select r.occurrence from public.messenger_schedule_runs r
        where r.schedule_id = s.id
        order by r.occurrence desc offset p_keep limit 1
      )
    ) as until
    from unnest(p_schedules) as s (id)
  ),
  doomed as materialized (
    select r.schedule_id, r.occurrence
    from bounds b
    join public.messenger_schedule_runs r on r.schedule_id = b.id and r.occurrence <= b.until
    where not exists (select from public.messenger_messages m where m.id = r.message_id)
    limit case when p_dry_run then 100000 else 1000 end
  ),
  gone as (
    delete from public.messenger_schedule_runs r
    using doomed d
    where not p_dry_run and r.schedule_id = d.schedule_id and r.occurrence = d.occurrence
  )
  select count(*) into pruned from doomed;
  return pruned;
end
$$;
comment on function messenger.prune_runs_of(bigint[], interval, integer, boolean) is
  'Part of pruning: deletes up to 1,000 runs of these schedules, and returns how many.';
