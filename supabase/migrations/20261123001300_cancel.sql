-- Cancelling: what an operator does with messages that are not wanted any more. One that waits goes to
-- the dead letters at once; one that runs is marked, and goes there when its worker stops it, or gives
-- it back, or fails. If its handler succeeds before, it counts as handled.

create or replace function public.messenger_cancel(
  ids bigint[] default null,
  type text default null,
  queue text default null,
  dry_run boolean default false
) returns jsonb
language plpgsql
set search_path = ''
-- Rows may be locked by settle calls that wait for others of these: this one gives way, long before
-- Postgres would take it for a deadlock, and tries again.
set lock_timeout = '200ms'
as $$
declare
  clock constant timestamptz := public.messenger_now();
  fence constant uuid := gen_random_uuid();
  matched bigint[];
  taken bigint[];
  running integer;
begin
  if num_nonnulls(ids, type, queue) = 0 then
    raise sqlstate 'PT400' using message = 'filter: give at least one of ids, type, queue';
  end if;

  for try in 1..10 loop
    begin
      matched := array(
        select m.id from public.messenger_messages m
        where (messenger_cancel.ids is null or m.id = any (messenger_cancel.ids))
          and (messenger_cancel.type is null or m.type = messenger_cancel.type)
          and (messenger_cancel.queue is null or m.queue = messenger_cancel.queue)
          and not m.cancelled
        order by m.id
        for update
      );

      -- What nobody runs is taken under a lease of its own, and settled. A lease that ran out protects
      -- nobody.
      select array_agg(m.id) filter (where m.status = 'pending' or m.leased_until <= clock),
        count(*) filter (where m.status = 'processing' and m.leased_until > clock)
      into taken, running
      from public.messenger_messages m where m.id = any (matched);
      exit when dry_run;

      update public.messenger_messages m
      set cancelled = true
      where m.id = any (matched) and m.status = 'processing' and m.leased_until > clock;

      update public.messenger_messages m
      set status = 'processing', lease_token = fence, leased_until = clock
      where m.id = any (taken);
      -- It waits for the locks of groups.
      perform public.messenger_settle(jsonb_build_array(jsonb_build_object(
        'token', fence, 'grouped', true, 'dead', (
          select coalesce(jsonb_agg(jsonb_build_object('id', id, 'reason', 'cancelled')), '[]')
          from unnest(taken) as t (id)
        )
      )));
      -- The next of a group may have been waiting for one of these.
      if cardinality(taken) > 0 and public.messenger_has_due() then
        perform public.messenger_wake();
      end if;
      exit;
    exception when lock_not_available then
      if try = 10 then
        raise sqlstate 'PT503' using message = 'cancel: other sessions hold the messages locked',
          hint = 'Try again; nothing was changed.';
      end if;
    end;
  end loop;

  return jsonb_build_object('cancelled', coalesce(cardinality(taken), 0), 'running', running);
end
$$;
comment on function public.messenger_cancel(bigint[], text, text, boolean) is
  'Cancels messages by ids or by filter. Those that wait go to the dead letters at once, reason cancelled; those that run are stopped at their worker''s next heartbeat. Answers {"cancelled", "running"}; dry_run only counts.';

revoke execute on function public.messenger_cancel(bigint[], text, text, boolean)
  from public, anon, authenticated;
grant execute on function public.messenger_cancel(bigint[], text, text, boolean) to service_role;
