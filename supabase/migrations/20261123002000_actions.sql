-- The action log: who changed what through the management API. messenger_act() makes the change and
-- writes the line in one transaction, so that neither is without the other.

create table if not exists public.messenger_actions (
  id bigint generated always as identity primary key,
  at timestamptz not null default public.messenger_now(),
  actor text not null check (length(actor) between 1 and 200),
  action text not null,
  target jsonb not null default '{}',
  affected bigint not null
);

comment on table public.messenger_actions is
  'What operators changed through the management API: who, when, what, and how many it met.';
comment on column public.messenger_actions.id is
  'Order of the actions.';
comment on column public.messenger_actions.at is
  'When it was done.';
comment on column public.messenger_actions.actor is
  'Who did it: the id of a signed-in user, or "secret key" and the key''s name.';
comment on column public.messenger_actions.action is
  'The SQL function that did it, without its prefix messenger_.';
comment on column public.messenger_actions.target is
  'What it was told: ids, filter, settings; never a payload.';
comment on column public.messenger_actions.affected is
  'How many messages, queues or schedules it changed.';

create index if not exists messenger_actions_at_idx on public.messenger_actions (at);
comment on index public.messenger_actions_at_idx is
  'Actions by age, for pruning.';

alter table public.messenger_actions enable row level security;
revoke all on table public.messenger_actions from anon, authenticated;
grant select, insert, update, delete on table public.messenger_actions to service_role;
revoke all on sequence public.messenger_actions_id_seq from anon, authenticated;
grant usage, select on sequence public.messenger_actions_id_seq to service_role;

create or replace function public.messenger_action_target(args jsonb, answer jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_strip_nulls(args - '{payload,schedules,dry_run}'::text[])
    || case when args ? 'payload' then '{"payload":"edited"}'::jsonb else '{}' end
    || case when args ? 'schedules' then jsonb_build_object('schedules', (
      select jsonb_agg(
        jsonb_strip_nulls((given.value - '{payload,stamps}'::text[]) || saved.value)
        order by given.position
      )
      from jsonb_array_elements(args -> 'schedules') with ordinality as given (value, position)
      join jsonb_array_elements(answer -> 'schedules') with ordinality as saved (value, position)
        using (position)
    )) else '{}' end
$$;
comment on function public.messenger_action_target(jsonb, jsonb) is
  'Part of messenger_act: what the log keeps of an operation''s arguments; never a payload.';

-- Calls the function as PostgREST would: by the names of its arguments, those that are not given
-- having their defaults. A dry run, and what changed nothing, is not logged.
create or replace function public.messenger_act(actor text, operation text, args jsonb)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  operations constant text[] := array[
    'messenger_redrive', 'messenger_remove_failed', 'messenger_cancel', 'messenger_set_queue',
    'messenger_save_schedules', 'messenger_pause_schedule', 'messenger_resume_schedule',
    'messenger_trigger_schedule', 'messenger_unschedule'
  ];
  known text[];
  given text;
  columns text;
  answer jsonb;
  affected bigint;
begin
  if operation is null or operation <> all (operations) then
    raise sqlstate 'PT400' using message = format(
      'operation: has to be one of %s', array_to_string(operations, ', ')
    );
  end if;
  if coalesce(actor, '') = '' then
    raise sqlstate 'PT400' using message = 'actor: is required';
  end if;
  if jsonb_typeof(args) is distinct from 'object' then
    raise sqlstate 'PT400' using message = 'args: has to be an object';
  end if;

  select array_agg(a.name),
    string_agg(format('%1$I => given.%1$I', a.name), ', ') filter (where args ? a.name),
    string_agg(format('%I %s', a.name, pg_catalog.format_type(a.type, null)), ', ')
      filter (where args ? a.name)
  into known, given, columns
  from pg_catalog.pg_proc p, unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
  where p.pronamespace = 'public'::regnamespace and p.proname = operation;
  if given is null or exists (
    select from jsonb_object_keys(args) as name where name <> all (known)
  ) then
    raise sqlstate 'PT400' using message = format(
      'args: %s takes %s', operation, array_to_string(known, ', ')
    );
  end if;
  -- Through text: what a function that returns nothing returns is the empty text.
  execute format(
    'select nullif(public.%I(%s)::text, '''')::jsonb from jsonb_to_record($1) as given (%s)',
    operation, given, columns
  ) into answer using args;

  affected := case operation
    when 'messenger_redrive' then (answer ->> 'redriven')::bigint
    when 'messenger_remove_failed' then (answer ->> 'removed')::bigint
    when 'messenger_cancel' then
      (answer ->> 'cancelled')::bigint + (answer ->> 'running')::bigint
    when 'messenger_set_queue' then (answer -> 'changed')::boolean::integer
    when 'messenger_save_schedules' then (
      select count(*) from jsonb_array_elements(answer -> 'schedules') as s (saved)
      where saved ->> 'change' <> 'unchanged'
    )
    when 'messenger_unschedule' then answer::boolean::integer
    else 1
  end;
  if affected > 0 and not coalesce((args ->> 'dry_run')::boolean, false) then
    insert into public.messenger_actions (actor, action, target, affected)
    values (
      actor, substr(operation, length('messenger_') + 1),
      public.messenger_action_target(args, answer), affected
    );
  end if;
  return answer;
end
$$;
comment on function public.messenger_act(text, text, jsonb) is
  'Calls one of the operators'' functions with arguments by name, and writes who did it into messenger_actions, in one transaction. Answers what the function answers.';

create or replace function public.messenger_list_actions(
  before_id bigint default null, max_actions integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as (
    select * from public.messenger_actions a
    where a.id < coalesce(before_id, 9223372036854775807)
    order by a.id desc
    limit max_actions
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
  'The action log, the latest first, those before an id. Answers {"actions", "next"}; next is the id to go on before.';

create or replace function public.messenger_prune_actions(
  older_than interval default interval '90 days'
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  deleted bigint;
begin
  if older_than < interval '0' then
    raise sqlstate 'PT400' using message = 'older_than: has to be zero or more';
  end if;
  delete from public.messenger_actions a where a.at < public.messenger_now() - older_than;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function public.messenger_prune_actions(interval) is
  'Deletes lines of the action log older than an age. pg_cron calls it hourly. Answers how many.';

revoke execute on function
  public.messenger_action_target(jsonb, jsonb),
  public.messenger_act(text, text, jsonb),
  public.messenger_list_actions(bigint, integer),
  public.messenger_prune_actions(interval)
from public, anon, authenticated;
grant execute on function
  public.messenger_action_target(jsonb, jsonb),
  public.messenger_act(text, text, jsonb),
  public.messenger_list_actions(bigint, integer),
  public.messenger_prune_actions(interval)
to service_role;

select cron.schedule(
  'symphony-prune-actions', '37 * * * *',
  $$select public.messenger_prune_actions(older_than => interval '90 days')$$
);
