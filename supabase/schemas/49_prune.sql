-- Pruning: what is no longer needed is deleted by pg_cron every hour, a step at a time. The ages stand in
-- the jobs' commands, to be changed there; messenger_setup() makes the jobs.

create function messenger.check_age(p_name text, p_age interval) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if (p_age between interval '0' and interval '100 years') is not true then
    raise sqlstate 'PT400' using message =
      format('%s: has to be from zero to 100 years (was %s)', p_name, coalesce(p_age::text, 'null'));
  end if;
end
$$;
comment on function messenger.check_age(text, interval) is
  'Part of pruning: refuses an age that is missing, below zero or above 100 years.';

-- Deletes, or counts, rows of a table whose time lies before a moment. Rows that are locked at present stay.
create function messenger.prune_before(
  p_relation regclass, p_time_column name, p_before timestamptz, p_max_rows integer, p_dry_run boolean
) returns integer
language plpgsql
set search_path = ''
as $$
declare
  number integer;
begin
  if p_dry_run then
    execute format(
      'select count(*) from (select from %1$s where %2$I < $1 order by %2$I limit $2) as old',
      p_relation, p_time_column
    ) into number using p_before, p_max_rows;
  else
    execute format(
      'delete from %1$s where ctid = any (array(
         select ctid from %1$s where %2$I < $1 order by %2$I limit $2 for update skip locked
       ))',
      p_relation, p_time_column
    ) using p_before, p_max_rows;
    get diagnostics number = row_count;
  end if;
  return number;
end
$$;
comment on function messenger.prune_before(regclass, name, timestamptz, integer, boolean) is
  'Part of pruning: deletes up to p_max_rows rows of a table whose time lies before a moment, and returns how many; a dry run only counts.';

-- Rows that have no time of their own, and go with their message. Some are left behind by a worker that was too old to
-- know of them, by a user's SQL, or by a prune of dead letters. `p_place` is the last message looked at.
create function messenger.prune_orphans(
  p_relation regclass, p_keeps_failed boolean, p_max_rows integer, p_dry_run boolean, p_place bigint,
  out place bigint, out number integer
)
language plpgsql
set search_path = ''
as $$
declare
  seen bigint[];
  orphans bigint[];
begin
  execute format(
    'select array(select message_id from %s where message_id > $1 order by message_id limit $2)', p_relation
  ) into seen using coalesce(p_place, -9223372036854775808), p_max_rows;
  orphans := array(
    select i from unnest(seen) as i
    where not exists (select from public.messenger_messages m where m.id = i)
      and (not p_keeps_failed or not exists (select from public.messenger_failed_messages f where f.id = i))
  );
  number := cardinality(orphans);
  if not p_dry_run then
    execute format('delete from %s where message_id = any ($1)', p_relation) using orphans;
    get diagnostics number = row_count;
  end if;
  place := case when cardinality(seen) = p_max_rows then seen[p_max_rows] end;
end
$$;
comment on function messenger.prune_orphans(regclass, boolean, integer, boolean, bigint) is
  'Part of pruning: deletes the rows of messages that are gone among the next p_max_rows rows of a table; with p_keeps_failed a dead letter is not gone. Returns how many, and the message id behind which the next step continues, null at the end. A dry run only counts.';

-- A batch that was never sealed goes when none of its members waits or runs. Its chunks go with it.
create function messenger.prune_batches(p_before timestamptz, p_max_rows integer, p_dry_run boolean) returns integer
language plpgsql
set search_path = ''
as $$
declare
  old constant bigint[] := array(
    select b.id from public.messenger_batches b
    where coalesce(b.finished_at, case when b.sealed_at is null then b.created_at end) < p_before
      and b.handled + b.failed >= b.total and b.cancel_chunk is null
      -- A message of a paused queue may have waited for longer to read the results.
      and (b.parent_id is null or not exists (select from public.messenger_messages m where m.id = b.parent_id))
    order by coalesce(b.finished_at, case when b.sealed_at is null then b.created_at end)
    limit p_max_rows
  );
  gone bigint[];
begin
  if p_dry_run then
    return cardinality(old);
  end if;
  with locked as (
    select b.id from public.messenger_batches b where b.id = any (old) for update skip locked
  ),
  deleted as (
    delete from public.messenger_batches b using locked l where b.id = l.id returning b.id
  )
  select coalesce(array_agg(d.id), '{}') into gone from deleted d;
  delete from messenger.batch_chunks c where c.batch_id = any (gone);
  return cardinality(gone);
end
$$;
comment on function messenger.prune_batches(timestamptz, integer, boolean) is
  'Part of pruning: deletes up to p_max_rows batches that ended before a moment, with their chunks, and returns how many; a dry run only counts.';

-- The children of ctx.all are remembered for 30 days. One of their siblings may take longer, and the message that waits
-- would miss the results of the first ones. Such batches are few.
create function messenger.keep_results(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.messenger_handled_messages h set keep_until = p_now + interval '1 day'
  where h.keep_until < p_now + interval '1 hour' and h.id = any (array(
    select unnest(c.ids)
    from public.messenger_batches b
    join messenger.batch_chunks c on c.batch_id = b.id
    where coalesce(b.finished_at, case when b.sealed_at is null then b.created_at end) is null
      and b.parent_id is not null and b.created_at < p_now - interval '29 days'
      and exists (select from public.messenger_messages m where m.id = b.parent_id)
  ));
end
$$;
comment on function messenger.keep_results(timestamptz) is
  'Part of pruning: keeps the results of children of ctx.all for another day if one of their siblings has not ended.';

-- `p_befores` has the moments before which dead letters (failed) and batches ended that are to go.
create function messenger.prune_kind(
  p_kind text, p_befores jsonb, p_max_rows integer, p_dry_run boolean, p_place bigint,
  out place bigint, out number integer
)
language plpgsql
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  -- A row that is to be deleted at a moment is deleted from that moment on, not only after it.
  instant constant timestamptz := clock + interval '1 microsecond';
begin
  case p_kind
    when 'failed' then number := messenger.prune_before(
      'public.messenger_failed_messages', 'failed_at', (p_befores ->> 'failed')::timestamptz, p_max_rows, p_dry_run
    );
    when 'idempotency_keys' then number := messenger.prune_before(
      'messenger.idempotency_keys', 'expires_at', instant, p_max_rows, p_dry_run
    );
    when 'handled' then
      if not p_dry_run then
        perform messenger.keep_results(clock);
      end if;
      number := messenger.prune_before(
        'public.messenger_handled_messages', 'keep_until', instant, p_max_rows, p_dry_run
      );
    when 'rate_limits' then number := messenger.prune_before(
      'messenger.rate_limits', 'full_at', clock - interval '1 minute', p_max_rows, p_dry_run
    );
    when 'batches' then
      number := messenger.prune_batches((p_befores ->> 'batches')::timestamptz, p_max_rows, p_dry_run);
    when 'outbox' then number := messenger.prune_outbox(p_max_rows, p_dry_run);
    when 'deliveries' then number := messenger.prune_deliveries(p_max_rows, p_dry_run);
    when 'series' then number := messenger.prune_series(p_max_rows, p_dry_run);
    when 'progress' then
      select p.place, p.number into place, number
      from messenger.prune_orphans('messenger.progress', true, p_max_rows, p_dry_run, p_place) as p;
    when 'steps' then
      select p.place, p.number into place, number
      from messenger.prune_orphans('public.messenger_steps', true, p_max_rows, p_dry_run, p_place) as p;
  end case;
end
$$;
comment on function messenger.prune_kind(text, jsonb, integer, boolean, bigint) is
  'Part of pruning: deletes up to p_max_rows rows of one kind, and returns how many, and for progress and steps the message id behind which the next step continues, null at the end.';

-- Takes one step, as redrive and remove do. `after` is the "next" of the step before.
create function public.messenger_prune(
  failed_older_than interval default interval '30 days',
  dry_run boolean default false,
  after jsonb default null,
  batches_older_than interval default interval '30 days'
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  befores jsonb; chunk integer;
  ends_at constant timestamptz := clock_timestamp() + interval '3 seconds';
  kinds text[] := array['failed', 'idempotency_keys', 'handled', 'rate_limits', 'batches', 'outbox', 'deliveries', 'series',
    'progress', 'steps'];
  counts jsonb := (select jsonb_object_agg(k, 0) from unnest(kinds) as k);
  place bigint := messenger.place_after(after);
  number integer;
  total integer := 0;
  capped boolean := false;
  fault_detail text;
begin
  perform messenger.check_age('failed_older_than', failed_older_than);
  perform messenger.check_age('batches_older_than', batches_older_than);
  befores := jsonb_build_object(
    'failed', public.messenger_now() - failed_older_than, 'batches', public.messenger_now() - batches_older_than
  );
  perform messenger.begin_step(null, null, dry_run);
  if after ->> 'kind' <> all (kinds) then
    raise sqlstate 'PT400' using message = 'after: has to be the "next" of the step before';
  end if;
  kinds := kinds[coalesce(array_position(kinds, after ->> 'kind'), 1):];

  while cardinality(kinds) > 0 loop
    -- A thousand payloads of 8 MB would meet the time limit of the call.
    chunk := case when dry_run then 10000 when kinds[1] in ('failed', 'outbox') then 100 else 1000 end;
    select p.place, p.number into place, number
    from messenger.prune_kind(kinds[1], befores, chunk, dry_run, place) as p;
    counts := counts || jsonb_build_object(kinds[1], (counts ->> kinds[1])::integer + number);
    total := total + number;
    capped := capped or dry_run and (number >= chunk or place is not null);
    if dry_run or (case when kinds[1] in ('progress', 'steps') then place is null else number < chunk end) then
      kinds := kinds[2:];
      place := null;
    end if;
    exit when not dry_run and (total >= 10000 or clock_timestamp() >= ends_at);
  end loop;
  counts := counts || jsonb_build_object(
    'matched', total, 'done', case when dry_run then 0 else total end, 'capped', capped,
    'next', case when cardinality(kinds) > 0 then
      jsonb_build_object('kind', kinds[1], 'id', place::text)
    end
  );
  perform messenger.check_deferred('messenger_prune');
  return counts;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune(interval, boolean, jsonb, interval) is
  'Deletes dead letters older than an age, expired idempotency keys, handled messages that were kept long enough, batches that ended longer ago than an age, publications that were sent and deliveries that were handled long enough ago (outbox, deliveries), progress and steps of messages that are gone, and rate limits that are not in use; it turns time series of more than a day ago into hours, and deletes those of more than 30 days ago (series). Takes one step of about 10,000 rows, behind the "next" of the step before if "after" is given. Returns how many of each, and {"matched", "done", "capped", "next"}; dry_run only counts, up to 10,000 of each, and "capped" says that there may be more.';

-- pg_cron never deletes the records of its runs: 1,440 a day for the tick alone. Its users may delete
-- their own.
create function public.messenger_prune_job_runs(
  older_than interval default interval '2 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  number integer;
  fault_detail text;
begin
  perform messenger.check_age('older_than', older_than);
  delete from cron.job_run_details d
  where d.runid = any (array(
    select old.runid from cron.job_run_details old
    join cron.job j on j.jobid = old.jobid and j.jobname like 'symphony-%'
    where old.end_time < now() - older_than
    limit 10000
  ));
  get diagnostics number = row_count;
  perform messenger.check_deferred('messenger_prune_job_runs');
  return jsonb_build_object(
    'matched', number, 'done', number, 'next', case when number = 10000 then '{}'::jsonb end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune_job_runs(interval, jsonb) is
  'Deletes up to 10,000 records of runs of our pg_cron jobs that ended longer ago than an age. pg_cron shows a database user only the records of the jobs that it owns. Returns {"matched", "done", "next"}.';
