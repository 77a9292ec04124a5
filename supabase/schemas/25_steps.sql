-- Steps: what an operator does with many rows is done a bounded number at a time, each step in a
-- transaction of its own, so that no call meets its time limit with nothing done.
--
-- Redrive, remove, cancel and run share one rule. A call takes one step: at most 10,000 messages, in
-- about three seconds at most. A step of a dry run counts for a quarter of a second and up to 100,000: rows that no
-- vacuum has seen are read one by one, 100,000 of them in 0.3 s from memory. It returns {"matched", "done", "running", "left", "missing", "next"}:
--   matched   messages of this step that the filter means
--   done      those of them that were changed; none in a dry run
--   running   those of them that a cancel has told to stop
--   left      messages behind this step that the filter means, {"count", "capped"}; it reads the next
--             10,000 rows and no more, so that a capped count is a lower bound
--   missing   ids that were asked for and are not there
--   next      give it as "after" to the next step; null after the last one
-- A step begins behind the last row of the step before, so that it costs what it reads itself.
-- The procedure messenger_in_steps() takes all steps one after the other.

create function messenger.begin_step(
  p_after jsonb, p_max_messages integer, p_dry_run boolean
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if p_max_messages < 1 then
    raise sqlstate 'PT400' using message = 'max_messages: has to be at least 1';
  end if;
  if p_dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  if coalesce(p_after, 'null') = 'null' then
    return jsonb_build_object(
      'at', '-infinity', 'id', '-9223372036854775808', 'matched', 0, 'since', public.messenger_now()
    );
  end if;
  -- The place may have been changed on its way.
  if num_nulls(
    (p_after ->> 'at')::timestamptz, (p_after ->> 'id')::bigint, (p_after ->> 'matched')::integer,
    (p_after ->> 'since')::timestamptz
  ) > 0 or (p_after ->> 'matched')::integer not between 0 and 2000000000 then
    raise invalid_parameter_value;
  end if;
  return p_after;
exception
  when data_exception then
    raise sqlstate 'PT400' using message = 'after: has to be the "next" of the step before';
end
$$;
comment on function messenger.begin_step(jsonb, integer, boolean) is
  'Part of a step: where it begins, {"at", "id", "matched", "since"}: the last row of the step before, the number of rows matched so far, and the time of the first step.';

create function messenger.place_after(p_after jsonb) returns bigint
language plpgsql immutable
set search_path = ''
as $$
begin
  return (p_after ->> 'id')::bigint;
exception
  when data_exception then
    raise sqlstate 'PT400' using message = 'after: has to be the "next" of the step before';
end
$$;
comment on function messenger.place_after(jsonb) is
  'Part of pruning: the last id of the step before; null at the beginning.';

-- Messages that a filter means among the next `p_max_rows` rows behind a place: dead letters for redrive and
-- remove, messages that wait or run for cancel, those that wait for a time for run. With `p_max_bytes` it ends
-- with the payload that makes them that many together, so that rows of a hundred large messages meet the time limit.
create function messenger.next_matches(
  p_operation text, p_filter jsonb, p_place jsonb, p_max_rows integer, p_max_bytes bigint default null,
  out matched bigint[], out missing bigint[], out last jsonb
)
language plpgsql
set search_path = ''
as $$
declare
  has_ids constant boolean := p_filter ? 'ids';
  is_failed constant boolean := p_operation in ('redrive', 'remove_failed');
  relation constant text := case when is_failed then 'messenger_failed_messages' else 'messenger_messages' end;
  asked bigint[] := array(
    select distinct i::bigint as id from jsonb_array_elements_text(p_filter -> 'ids') as i
    where i::bigint > (p_place ->> 'id')::bigint order by id limit p_max_rows
  );
  by_id constant boolean := messenger.is_by_id(p_filter, is_failed);
  wanted constant text := messenger.wanted_condition(p_operation, p_filter, is_failed);
  seen bigint[];
  seen_at timestamptz;
  rows_read integer;
  is_cut boolean;
begin
  execute format(
    $query$
      select array_agg(s.id order by s.at, s.id) filter (where s.wanted and s.fits),
        array_agg(s.id order by s.at, s.id) filter (where s.fits),
        max(s.at) filter (where s.fits), count(*)
      from (
        select r.id, r.at, r.wanted,
          coalesce(sum(r.bytes) over (order by r.at, r.id) - r.bytes < $5, true) as fits
        from (
          select f.id, %s as at, %s as wanted,
            case when $5 is not null and (%s) then pg_column_size(f.payload) else 0 end as bytes
          from public.%I f where %s order by %s limit $4
        ) as r
      ) as s
    $query$,
    case when by_id then '''-infinity''::timestamptz' else 'f.failed_at' end,
    wanted, wanted, relation, messenger.range_condition(p_filter, is_failed),
    case when by_id then 'f.id' else 'f.failed_at, f.id' end
  ) into matched, seen, seen_at, rows_read using p_filter, p_place, asked, p_max_rows, p_max_bytes;
  matched := coalesce(matched, '{}');
  seen := coalesce(seen, '{}');
  is_cut := cardinality(seen) < rows_read;
  if is_cut then
    asked := array(select i from unnest(asked) as i where i <= seen[cardinality(seen)] order by i);
  end if;

  if has_ids then
    execute format(
      'select array(select i from unnest($1) as i where not exists (select from public.%I f where f.id = i))',
      relation
    ) into missing using asked;
    seen := asked;
  end if;
  if is_cut or cardinality(seen) = p_max_rows then
    last := p_place || jsonb_build_object('at', seen_at, 'id', seen[cardinality(seen)]::text);
  end if;
end
$$;
comment on function messenger.next_matches(text, jsonb, jsonb, integer, bigint) is
  'Part of a step: the ids of messages that match a filter among the next rows after a place, the ids that do not exist, and the place to continue after; null at the end.';

-- A trigger or constraint of the project's own may refuse some messages of a filter. They stay as they are, and keep
-- back no others: halves of halves find one of a hundred in 14 calls. Of ids that were given, or where the fault is of
-- no single message, the error is the answer.
create function messenger.apply_chunk(
  p_operation text, p_ids bigint[], p_options jsonb, p_is_whole boolean
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  half constant integer := cardinality(p_ids) / 2;
  a jsonb;
  b jsonb;
  fault_detail text;
begin
  return messenger.apply_operation(p_operation, p_ids, p_options);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  if p_is_whole or sqlstate ~ '^(PT|40)' or messenger.is_passing(sqlstate, fault_detail) then
    raise;
  end if;
  if half = 0 then
    raise warning 'message % was passed over: %', p_ids[1], sqlerrm;
    return jsonb_build_object(
      'done', 0, 'running', 0, 'refusal', jsonb_build_object('state', sqlstate, 'message', sqlerrm)
    );
  end if;
  a := messenger.apply_chunk(p_operation, p_ids[:half], p_options, false);
  b := messenger.apply_chunk(p_operation, p_ids[half + 1:], p_options, false);
  return jsonb_build_object(
    'done', (a ->> 'done')::integer + (b ->> 'done')::integer,
    'running', coalesce((a ->> 'running')::integer, 0) + coalesce((b ->> 'running')::integer, 0),
    'refusal', coalesce(nullif(a -> 'refusal', 'null'), b -> 'refusal')
  );
end
$$;
comment on function messenger.apply_chunk(text, bigint[], jsonb, boolean) is
  'Part of a step: applies the operation to messages, and to those that the database does not refuse if they need not go together. Returns {"done", "running"}, and "refusal", {"state", "message"}, if any was refused.';

create function messenger.raise_refusal(p_refusal jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_refusal <> 'null' then
    raise exception using errcode = p_refusal ->> 'state', message = p_refusal ->> 'message';
  end if;
end
$$;
comment on function messenger.raise_refusal(jsonb) is
  'Part of a step: raises an error as {"state", "message"} tells; nothing for null.';

-- Does one thing with up to 100 messages at a time, or some 16 MB of them, until a step is full. `p_options` are
-- those of the operation, which takes its messages by ids and returns {"done", "running"}; a 503 says that
-- other sessions have them locked: then the step ends with what it has done. A step that did nothing because its
-- messages were refused raises the first refusal.
create function messenger.take_step(
  p_operation text, p_filter jsonb, p_options jsonb, p_max_messages integer, p_dry_run boolean, p_after jsonb
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  chunk_size constant integer := case when p_dry_run then 1000 else 100 end;
  most constant integer := case when p_dry_run then 100000 else 10000 end;
  -- An operator waits for the first count of a dry run, and the next steps make it larger.
  longest constant interval := case when p_dry_run then interval '250 ms' else interval '3 seconds' end;
  ends_at constant timestamptz := clock_timestamp() + longest;
  place jsonb := messenger.begin_step(p_after, p_max_messages, p_dry_run);
  before constant integer := (place ->> 'matched')::integer;
  chunk record;
  outcome jsonb;
  matched integer := 0;
  done integer := 0;
  running integer := 0;
  missing bigint[] := array[]::bigint[];
  further integer := 0;
  is_capped boolean := false;
  refusal jsonb;
begin
  loop
    select * into chunk from messenger.next_matches(
      p_operation, p_filter, place, least(chunk_size, most - matched, p_max_messages - before - matched),
      case when not p_dry_run then 16777216 end
    );
    if not p_dry_run and cardinality(chunk.matched) > 0 then
      begin
        outcome := messenger.apply_chunk(p_operation, chunk.matched, p_options || place, p_filter ? 'ids');
      exception when sqlstate 'PT503' then
        if matched = 0 then raise; end if;
        exit;
      end;
      done := done + (outcome ->> 'done')::integer;
      running := running + coalesce((outcome ->> 'running')::integer, 0);
      refusal := coalesce(nullif(refusal, 'null'), outcome -> 'refusal');
    end if;
    matched := case when p_dry_run then matched + cardinality(chunk.matched) else done + running end;
    missing := missing || coalesce(chunk.missing, '{}');
    place := chunk.last || jsonb_build_object('matched', before + matched);
    if before + matched >= p_max_messages then place := null; end if;
    exit when place is null or matched >= most or clock_timestamp() >= ends_at;
  end loop;
  if matched = 0 then perform messenger.raise_refusal(refusal); end if;
  if place is not null then
    select least(cardinality(m.matched), 10000), m.last is not null into further, is_capped
    from messenger.next_matches(p_operation, p_filter, place, 10001) as m;
  end if;
  return jsonb_build_object(
    'matched', matched, 'done', done, 'running', running,
    'left', jsonb_build_object(
      'count', least(further, p_max_messages - before - matched), 'capped', is_capped
    ),
    'missing', missing::text[], 'next', place
  );
end
$$;
comment on function messenger.take_step(text, jsonb, jsonb, integer, boolean, jsonb) is
  'Takes one step of redrive, remove_failed, cancel or run. Returns {"matched", "done", "running", "left", "missing", "next"}.';

create function messenger.apply_operation(p_operation text, p_ids bigint[], p_options jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return case p_operation
    when 'redrive' then messenger.redrive_ids(p_ids, p_options)
    when 'remove_failed' then messenger.remove_ids(p_ids)
    when 'cancel' then messenger.cancel_ids(p_ids)
    when 'run' then messenger.run_ids(p_ids)
  end;
end
$$;
comment on function messenger.apply_operation(text, bigint[], jsonb) is
  'Part of a step: applies the operation to messages. Returns {"done", "running"}.';
