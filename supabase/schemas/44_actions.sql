-- The action log: who changed what through the management API. messenger_act() makes the change and
-- writes the line in one transaction, so that neither is without the other.

create table public.messenger_actions (
  id bigint generated always as identity primary key,
  at timestamptz not null default public.messenger_now(),
  actor text not null check (length(actor) between 1 and 200),
  action text not null,
  target jsonb not null default '{}',
  affected bigint not null
);

comment on table public.messenger_actions is
  'Operators'' changes through the management API: who, when, what, and how many rows.';
comment on column public.messenger_actions.id is
  'Identity of the action; ids grow with time.';
comment on column public.messenger_actions.at is
  'When it was done.';
comment on column public.messenger_actions.actor is
  'The operator: the id of a signed-in user, or "secret key" and the key''s name.';
comment on column public.messenger_actions.action is
  'The SQL function that did it, without its prefix messenger_.';
comment on column public.messenger_actions.target is
  'Arguments of the action: ids, filter, settings; never a payload.';
comment on column public.messenger_actions.affected is
  'How many messages, queues or schedules it changed.';

create index messenger_actions_at_idx on public.messenger_actions (at);
comment on index public.messenger_actions_at_idx is
  'Actions by age, for pruning.';

alter table public.messenger_actions enable row level security;

create function messenger.action_target(p_args jsonb, p_answer jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_strip_nulls(
    jsonb_set(
      jsonb_set(
        p_args - '{payload,schedules,dry_run,after,secret_key}'::text[] #- '{message,payload}' #- '{message,stamps}',
        '{settings,url}', '"changed"', false
      ), '{settings,secret}', '"changed"', false
    )
  )
    || case when p_args ? 'payload' then '{"payload":"edited"}'::jsonb else '{}' end
    || case when p_args ? 'schedules' then jsonb_build_object('schedules', (
      select jsonb_agg(
        jsonb_strip_nulls((given.value - '{payload,stamps}'::text[]) || saved.value)
        order by given.position
      )
      from jsonb_array_elements(p_args -> 'schedules') with ordinality as given (value, position)
      join jsonb_array_elements(p_answer -> 'schedules') with ordinality as saved (value, position)
        using (position)
    )) else '{}' end
$$;
comment on function messenger.action_target(jsonb, jsonb) is
  'Part of messenger_act: what the log keeps of an operation''s arguments; never a payload or a key.';

create function messenger.check_args(p_operation text, p_args jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  name text;
  type text;
begin
  for name, type in
    select a.name, pg_catalog.format_type(a.type, null)
    from pg_catalog.pg_proc p, unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
    where p.pronamespace = 'public'::regnamespace and p.proname = p_operation and p_args ? a.name
  loop
    execute format('select from jsonb_to_record($1) as given (%I %s)', name, type) using p_args;
  end loop;
exception when data_exception then
  raise sqlstate 'PT400' using message =
    format('%s: has to be %s (was %s)', name, type, left((p_args -> name)::text, 60));
end
$$;
comment on function messenger.check_args(text, jsonb) is
  'Part of messenger_act: refuses an argument that is no value of its parameter''s type, and names it.';

-- Calls a function as PostgREST would: by the names of its arguments, those that are not given having
-- their defaults.
create function messenger.call_operation(p_operation text, p_args jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  operations constant text[] := array[
    'messenger_redrive', 'messenger_remove_failed', 'messenger_cancel', 'messenger_cancel_batch', 'messenger_run',
    'messenger_cancel_outbox', 'messenger_run_outbox', 'messenger_resend_outbox', 'messenger_set_outbox',
    'messenger_create_queue', 'messenger_set_queue', 'messenger_delete_queue',
    'messenger_save_schedules', 'messenger_pause_schedule', 'messenger_resume_schedule',
    'messenger_trigger_schedule', 'messenger_unschedule',
    'messenger_prune', 'messenger_prune_schedule_runs', 'messenger_prune_actions', 'messenger_prune_events',
    'messenger_prune_job_runs', 'messenger_tidy_queues', 'messenger_setup',
    'messenger_create_alert', 'messenger_set_alert', 'messenger_delete_alert', 'messenger_set_alert_channel',
    'messenger_delete_alert_channel', 'messenger_test_alert_channel', 'messenger_retry_alert_delivery',
    'messenger_create_webhook_endpoint', 'messenger_set_webhook_endpoint', 'messenger_delete_webhook_endpoint',
    'messenger_rotate_webhook_secret', 'messenger_test_webhook_endpoint', 'messenger_resend_webhooks',
    'messenger_prune_webhooks'
  ];
  known text[];
  required text[];
  given text;
  columns text;
  answer jsonb;
begin
  if p_operation is null or p_operation <> all (operations) then
    raise sqlstate 'PT400' using message = format(
      'operation: has to be one of %s', array_to_string(operations, ', ')
    );
  end if;
  if jsonb_typeof(p_args) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'args: has to be an object';
  end if;

  select array_agg(a.name),
    string_agg(format('%1$I => given.%1$I', a.name), ', ') filter (where p_args ? a.name),
    string_agg(format('%I %s', a.name, pg_catalog.format_type(a.type, null)), ', ')
      filter (where p_args ? a.name),
    coalesce(
      array_agg(a.name) filter (where a.number <= p.pronargs - p.pronargdefaults), '{}'
    )
  into known, given, columns, required
  from pg_catalog.pg_proc p,
    unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, number)
  where p.pronamespace = 'public'::regnamespace and p.proname = p_operation;
  if not p_args ?& required or exists (select from jsonb_object_keys(p_args) as name where name <> all (known)) then
    raise sqlstate 'PT400' using message = format(
      'args: %s takes %s', p_operation, array_to_string(known, ', ')
    );
  end if;
  perform messenger.check_args(p_operation, p_args);
  -- Cast through text, because the result of a function that returns void is the empty text.
  execute format(
    'select nullif(public.%I(%s)::text, '''')::jsonb from jsonb_to_record($1) as given (%s)',
    p_operation, coalesce(given, ''), coalesce(columns, 'nothing text')
  ) into answer using p_args;
  return answer;
end
$$;
comment on function messenger.call_operation(text, jsonb) is
  'Calls one of the operators'' functions with arguments by name. Returns what the function returns.';

-- A dry run, and a call that changed nothing, are not logged.
create function public.messenger_act(actor text, operation text, args jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  affected bigint;
  fault_detail text;
begin
  if coalesce(actor, '') = '' then
    raise sqlstate 'PT400' using message = 'actor: is required';
  end if;
  answer := messenger.call_operation(operation, args);
  affected := case
    when answer ? 'done' then
      (answer ->> 'done')::bigint + coalesce((answer ->> 'running')::bigint, 0)
    when answer ? 'changed' then (answer -> 'changed')::boolean::integer
    when operation = 'messenger_save_schedules' then (
      select count(*) from jsonb_array_elements(answer -> 'schedules') as s (saved)
      where saved ->> 'change' <> 'unchanged'
    )
    when operation = 'messenger_unschedule' then answer::boolean::integer
    else 1
  end;
  if affected > 0 and not coalesce((args ->> 'dry_run')::boolean, false) then
    insert into public.messenger_actions (actor, action, target, affected)
    values (
      actor, substr(operation, length('messenger_') + 1),
      messenger.action_target(args, answer), affected
    );
  end if;
  perform messenger.check_deferred('messenger_act');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_act(text, text, jsonb) is
  'Calls one of the operators'' functions with arguments by name, and writes who did it into messenger_actions, in one transaction; of a function that works in steps, a line a step. Returns what the function returns.';

-- Each step is committed before the next begins, so that a time limit or a crash undoes one step at most. The procedure
-- has no search_path of its own, because Postgres forbids a procedure with one to commit.
create procedure public.messenger_in_steps(
  operation text, args jsonb, actor text default null, max_minutes integer default 50
)
language plpgsql
as $$
declare
  ends_at constant timestamptz := pg_catalog.clock_timestamp()
    + max_minutes * interval '1 minute';
  step jsonb := '{}'::jsonb;
  done bigint := 0;
begin
  loop
    args := args || pg_catalog.jsonb_strip_nulls(
      pg_catalog.jsonb_build_object('after', step -> 'next')
    );
    step := case
      when actor is null then messenger.call_operation(operation, args)
      else public.messenger_act(actor, operation, args)
    end;
    commit;
    done := done + (step ->> 'done')::bigint;
    exit when step -> 'next' = 'null' or step -> 'next' is null
      or pg_catalog.clock_timestamp() >= ends_at;
    raise notice '% done, % left', done,
      coalesce(step -> 'left' ->> 'count', 'more')
        || case when (step -> 'left' ->> 'capped')::boolean then ' or more' else '' end;
  end loop;
  raise notice '% done', done;
end
$$;
comment on procedure public.messenger_in_steps(text, jsonb, text, integer) is
  'Takes all steps of a function that works in steps, such as messenger_redrive, messenger_cancel or messenger_prune, with arguments by name, each in a transaction of its own, until the end or for max_minutes. With an actor the action log has a line a step.';

create function public.messenger_list_actions(
  before_id bigint default null, max_actions integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select * from public.messenger_actions a
    where a.id < coalesce(before_id, 9223372036854775807)
    order by a.id desc
    limit messenger.page_size(max_actions, 'max_actions')
  )
  select jsonb_build_object(
    'actions', coalesce(
      jsonb_agg(to_jsonb(f) || jsonb_build_object('id', f.id::text) order by f.id desc), '[]'
    ),
    'next', case when count(*) = max_actions then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_actions(bigint, integer) is
  'The action log, the latest first, those before an id. Returns {"actions", "next"}; next is the id before which the next page begins.';

create function public.messenger_prune_actions(
  older_than interval default interval '90 days', after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  number integer;
  fault_detail text;
begin
  perform messenger.check_age('older_than', older_than);
  number := messenger.prune_before(
    'public.messenger_actions', 'at', public.messenger_now() - older_than, 10000, false
  );
  perform messenger.check_deferred('messenger_prune_actions');
  return jsonb_build_object(
    'matched', number, 'done', number, 'next', case when number = 10000 then '{}'::jsonb end
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_prune_actions(interval, jsonb) is
  'Deletes up to 10,000 lines of the action log older than an age. pg_cron calls it hourly. Returns {"matched", "done", "next"}; after a step that is not the last, "next" is not null.';
