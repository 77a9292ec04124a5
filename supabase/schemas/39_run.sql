-- Running now: a message that is delayed, or waits for its retry, is made due.

create function messenger.run_ids(p_ids bigint[]) returns jsonb
language sql
set search_path = ''
as $$
  with locked as (
    select m.id from public.messenger_messages m
    where m.id = any (p_ids) and m.status = 'pending' and m.available_at > public.messenger_now()
    order by m.id
    for update skip locked
  ),
  due as (
    update public.messenger_messages m
    set available_at = public.messenger_now()
    from locked l
    where m.id = l.id
    returning m.id
  )
  select jsonb_build_object('done', count(*)) from due
$$;
comment on function messenger.run_ids(bigint[]) is
  'Part of a step: makes messages due that wait for a time. Returns {"done"}.';

create function public.messenger_run(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  max_messages integer default null,
  dry_run boolean default false,
  "all" boolean default false,
  after jsonb default null,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null,
  error text default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text;
begin
  answer := messenger.take_step(
    'run',
    messenger.check_filter(jsonb_build_object(
      'ids', ids, 'type', type, 'queue', queue, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until, 'error', error
    ), "all"),
    '{}', max_messages, dry_run, after
  );
  perform messenger.check_deferred('messenger_run');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_run(
  bigint[], text, text, integer, boolean, boolean, jsonb, text, text, timestamptz, timestamptz, text
) is
  'Makes delayed messages, and those that wait for their retry, due now and wakes a tick: by ids, by filter or "all". Limits, groups and pauses hold as before. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';
