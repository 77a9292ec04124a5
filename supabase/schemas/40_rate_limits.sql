-- Rate limits of what users and holders of the publishable key dispatch, counted in the transaction
-- that writes their messages: what is refused writes nothing.
--
-- The rule is the generic cell rate algorithm (ITU-T I.371, annex A; the "virtual scheduling"
-- form): one moment for each caller and type, at which the whole allowance will be there again. A
-- message moves it on by `per / max`; one that would move it further than `per` ahead of now is
-- refused. So `max` may come at once, and one more each `per / max`; there is no window at whose edge
-- twice as many would pass, and the wait until the next one is known exactly. Callers of one
-- allowance meet on its row, where the second waits for the first's commit.

create table messenger.rate_limits (
  type text not null,
  caller text not null,
  full_at timestamptz not null,
  counted_at timestamptz not null default public.messenger_now(),
  share_ms double precision,
  primary key (type, caller)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

comment on table messenger.rate_limits is
  'Used shares of the rate limits of message types. Only types that have a limit, and callers who used it lately, have rows.';
comment on column messenger.rate_limits.type is
  'Name of the message definition that has the limit; of an event, its name behind "event ".';
comment on column messenger.rate_limits.caller is
  'Whose allowance it is: user:<id>; publishable for everyone who has only the publishable key; total for all of them together.';
comment on column messenger.rate_limits.full_at is
  'When the whole allowance is available again; from then on the row is not needed.';
comment on column messenger.rate_limits.counted_at is
  'When the latest message was counted: full_at was at most the limit''s period later, and is read so where the period has become shorter.';
comment on column messenger.rate_limits.share_ms is
  'How far one message moved full_at on, in ms, by the limit of the latest message. By it the messages are counted again where the limit has changed; null in rows of 0.1.0.';

create index rate_limits_full_at_idx
  on messenger.rate_limits (full_at);
comment on index messenger.rate_limits_full_at_idx is
  'Allowances that are available in full again, for pruning.';

alter table messenger.rate_limits enable row level security;

create function messenger.check_limits(p_limits jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.check_rows(p_limits, 'limits');
  if exists (
    select from jsonb_array_elements(p_limits) as l (rate)
    where (
      jsonb_typeof(rate -> 'type') = 'string' and jsonb_typeof(rate -> 'caller') = 'string'
      and jsonb_typeof(rate -> 'per_ms') = 'number' and (rate -> 'per_ms')::numeric between 1 and 3155760000000
      and rate ->> 'count' ~ '^\d{1,9}$' and rate ->> 'max' ~ '^[1-9]\d{0,8}$'
    ) is not true
  ) then
    raise sqlstate 'PT400' using message =
      'limits: each has to have type, caller, count, max and per_ms, with numbers from 1';
  end if;
end
$$;
comment on function messenger.check_limits(jsonb) is
  'Part of count_dispatches: refuses limits with a field that is missing or of another type.';

create function messenger.full_at_with(p_used messenger.rate_limits, p_share_ms double precision, p_per interval)
returns timestamptz
language plpgsql immutable
set search_path = ''
as $$
begin
  if (p_used.share_ms <> p_share_ms and isfinite(p_used.full_at) and isfinite(p_used.counted_at)) is not true then
    return p_used.full_at;
  end if;
  return p_used.counted_at + floor(least(
    extract(epoch from p_used.full_at - p_used.counted_at)::double precision * 1000000 / p_used.share_ms * p_share_ms,
    extract(epoch from p_per)::double precision * 1000000
  )) * interval '1 microsecond';
end
$$;
comment on function messenger.full_at_with(messenger.rate_limits, double precision, interval) is
  'Part of count_dispatches: when the whole allowance of a row is available again by a limit with this share of a message and this period.';

-- `p_limits` is an array of {type, caller, count, max, per_ms}: `count` messages are to be dispatched,
-- and `max` may be within `per_ms`. The share of one message is rounded down to microseconds, so
-- that `max` of them always fit. A limit that was changed holds for what was counted before, too: the messages that
-- stood against the old allowance when it was last used stand against the new one from that moment on. So a caller who
-- had used up the old allowance waits no longer than the new period. A clock that was set back, or a row from a
-- restore, counts as counted now.
create function messenger.count_dispatches(p_limits jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  refused record;
begin
  perform messenger.check_limits(p_limits);
  with wanted as materialized (
    select l.type, l.caller, l.per_ms * interval '1 millisecond' as per,
      floor(l.count * l.per_ms * 1000 / l.max) * interval '1 microsecond' as share, l.per_ms / l.max as share_ms
    from jsonb_to_recordset(p_limits) as l (
      type text, caller text, count integer, max integer, per_ms double precision
    )
  ),
  counted as (
    insert into messenger.rate_limits as known (type, caller, full_at, counted_at, share_ms)
    select w.type, w.caller, clock + w.share, clock, w.share_ms from wanted w order by w.type, w.caller
    on conflict (type, caller) do update
    set counted_at = clock, share_ms = excluded.share_ms, full_at = (excluded.full_at - clock) + greatest(clock, (
      select least(messenger.full_at_with(known, w.share_ms, w.per), least(known.counted_at, clock) + w.per)
      from wanted w where w.type = known.type and w.caller = known.caller
    ))
    returning type, caller, full_at
  )
  select c.type, c.full_at - w.per - clock as wait into refused
  from counted c join wanted w using (type, caller)
  where c.full_at - w.per > clock
  order by wait desc
  limit 1;

  if found then
    raise sqlstate 'PT429' using
      message = case
        when refused.type like 'event %' then format('event: too many emits of %s', substr(refused.type, 7))
        else format('type: too many messages of the type %s', refused.type)
      end,
      detail = ceil(extract(epoch from refused.wait) * 1000)::bigint::text,
      hint = 'The detail is how many milliseconds to wait.';
  end if;
end
$$;
comment on function messenger.count_dispatches(jsonb) is
  'Counts messages that are to be dispatched against the limits of their types and callers. Raises PT429, with the milliseconds to wait as its detail, where one of them is reached.';

create function public.messenger_enqueue_limited(messages jsonb, limits jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  perform messenger.count_dispatches(limits);
  answer := (select b.answer from public.messenger_enqueue_body(messages) as b (answer));
  perform messenger.check_deferred('messenger_enqueue_limited');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_enqueue_limited(jsonb, jsonb) is
  'messenger_enqueue within rate limits: writes all messages, or raises PT429 and writes none.';

create function public.messenger_emit_limited(event text, value jsonb, limits jsonb) returns text
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  perform messenger.count_dispatches(limits);
  return public.messenger_emit(event, value);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_emit_limited(text, jsonb, jsonb) is
  'messenger_emit within rate limits: emits the event and returns its id, or raises PT429 and emits nothing.';

-- One at a time for each user, so that none is overlooked.
create function messenger.lock_schedule_quota(p_user_id text) returns void
language sql
set search_path = ''
as $$
  select pg_advisory_xact_lock(
    pg_catalog.hashtextextended('symphony_messenger.schedules:' || p_user_id, 0)
  )
$$;
comment on function messenger.lock_schedule_quota(text) is
  'Locks the number of schedules of a user until the end of the transaction. The first of its locks.';

-- Those that are finished do not count: as many as may be had of the others are kept, the latest.
create function messenger.check_schedule_quota(
  p_user_id text, p_wanted integer, p_max_schedules integer
) returns void
language plpgsql
set search_path = ''
as $$
declare
  had integer;
begin
  perform messenger.lock_schedule_quota(p_user_id);
  select count(*) into had from public.messenger_schedules s
  where s.stamps -> 'user' ->> 'id' = p_user_id and s.disabled_by is distinct from 'finished';
  if had + p_wanted > p_max_schedules then
    raise sqlstate 'PT409' using message = format(
      'schedule: a user may have %s at a time (there are %s of yours); delete one first',
      p_max_schedules, had
    );
  end if;
  delete from public.messenger_schedules s
  where s.id = any (array(
    select old.id from public.messenger_schedules old
    where old.stamps -> 'user' ->> 'id' = p_user_id and old.disabled_by = 'finished'
    order by old.updated_at desc, old.id desc offset p_max_schedules
  ));
end
$$;
comment on function messenger.check_schedule_quota(text, integer, integer) is
  'Refuses, PT409, more schedules of a user than there may be at a time, and forgets the oldest of those that are finished.';

create function public.messenger_save_schedules_limited(
  schedules jsonb, limits jsonb, user_id text default null, max_schedules integer default 100
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  if user_id is not null then
    perform messenger.check_rows(schedules, 'schedules');
    perform messenger.check_schedule_quota(
      user_id, jsonb_array_length(schedules), max_schedules
    );
  end if;
  perform messenger.count_dispatches(limits);
  answer := public.messenger_save_schedules(schedules);
  perform messenger.check_deferred('messenger_save_schedules_limited');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_save_schedules_limited(jsonb, jsonb, text, integer) is
  'messenger_save_schedules within rate limits, and of a user no more than there may be: saves all schedules, or raises PT429 or PT409 and saves none.';
