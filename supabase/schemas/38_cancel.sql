-- Cancelling messages that are not wanted any more, by an operator or by their user. One that waits goes to
-- the dead letters at once; one that runs is marked, and goes there when its worker stops it, or gives
-- it back, or fails. If its handler succeeds before, it counts as handled.

create function messenger.cancel_ids(p_ids bigint[]) returns jsonb
language plpgsql
set search_path = ''
-- A settle call may hold a lock that this cancel needs, and wait for one that this cancel holds. The cancel gives way
-- long before Postgres would detect a deadlock, and tries again.
set lock_timeout = '200ms'
as $$
declare
  clock constant timestamptz := public.messenger_now();
  fence constant uuid := gen_random_uuid();
  matched bigint[];
  taken bigint[];
begin
  for try in 1..10 loop
    begin
      perform messenger.lock_groups(p_ids);
      matched := array(
        select m.id from public.messenger_messages m
        where m.id = any (p_ids) and not m.cancelled
        order by m.id
        for update
      );

      -- Messages that no worker runs are taken under a lease of their own, and settled. A lease that ran out
      -- protects no worker.
      update public.messenger_messages m
      set cancelled = true
      where m.id = any (matched) and m.status = 'processing' and m.leased_until > clock;

      with leased as (
        update public.messenger_messages m
        set status = 'processing', lease_token = fence, leased_until = clock
        where m.id = any (matched) and not m.cancelled
        returning m.id
      )
      select coalesce(array_agg(l.id), '{}') into taken from leased l;
      perform public.messenger_settle(jsonb_build_array(jsonb_build_object(
        'token', fence, 'grouped', true, 'dead', (
          select coalesce(jsonb_agg(jsonb_build_object('id', id, 'reason', 'cancelled')), '[]')
          from unnest(taken) as t (id)
        )
      )));
      -- The next message of a group may have been waiting for one of the cancelled messages.
      if cardinality(taken) > 0 and messenger.has_due() then
        perform messenger.wake();
      end if;
      exit;
    exception when lock_not_available then
      if try = 10 then
        raise sqlstate 'PT503' using message = 'cancel: other sessions hold the messages locked',
          hint = 'Try again; nothing was changed.';
      end if;
    end;
  end loop;
  return jsonb_build_object(
    'done', cardinality(taken), 'running', cardinality(matched) - cardinality(taken)
  );
end
$$;
comment on function messenger.cancel_ids(bigint[]) is
  'Part of a step: cancels messages. Returns {"done", "running"}.';

create function public.messenger_cancel(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  dry_run boolean default false,
  max_messages integer default null,
  "all" boolean default false,
  after jsonb default null,
  group_key text default null,
  user_id text default null,
  created_from timestamptz default null,
  created_until timestamptz default null,
  error text default null
) returns jsonb
language sql
set search_path = ''
as $$
  select messenger.take_step(
    'cancel',
    messenger.check_filter(jsonb_build_object(
      'ids', ids, 'type', type, 'queue', queue, 'group_key', group_key, 'user_id', user_id,
      'created_from', created_from, 'created_until', created_until, 'error', error
    ), "all"),
    '{}', max_messages, dry_run, after
  )
$$;
comment on function public.messenger_cancel(
  bigint[], text, text, boolean, integer, boolean, jsonb, text, text, timestamptz, timestamptz, text
) is
  'Cancels messages by ids, by filter or "all". Those that wait go to the dead letters at once, reason cancelled; those that run are stopped at their worker''s next heartbeat. Takes one step, behind the "next" of the step before if "after" is given. Returns {"matched", "done", "running", "left", "missing", "next"}; dry_run only counts.';
