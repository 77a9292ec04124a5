-- Operators' view of the outbox: what waits or was sent a short while ago, and what may be done with it. Lists and
-- operations go by position, from one that was given; an operation takes at most 10,000 rows a call.

-- The answer of one step: the rows that it met, and where the next one begins if these are as many as a step takes.
create function messenger.outbox_step(p_matched bigint[], p_done integer, p_most integer) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'matched', cardinality(p_matched), 'done', p_done,
    'next', case when p_matched[p_most] is not null then jsonb_build_object('id', p_matched[p_most]::text) end
  );
end
$$;
comment on function messenger.outbox_step(bigint[], integer, integer) is
  'Part of operations on the outbox: the answer of a step, {"matched", "done", "next"}.';

create function messenger.waiting_positions(p_filter jsonb, p_after bigint, p_max_rows integer) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select o.position from messenger.outbox o
    where o.sent_at is null and o.position > p_after
      and (not p_filter ? 'ids' or p_filter -> 'ids' @> to_jsonb(o.id))
      and (not p_filter ? 'transport' or o.transport = p_filter ->> 'transport')
      and (not p_filter ? 'type' or o.type = p_filter ->> 'type')
      and (not p_filter ? 'queue' or p_filter ->> 'queue' in (o.queue, split_part(o.queue, '/', 1)))
      and (not p_filter ? 'group_key' or o.group_key = p_filter ->> 'group_key')
    order by o.position limit p_max_rows
  );
end
$$;
comment on function messenger.waiting_positions(jsonb, bigint, integer) is
  'The next positions of unsent rows of the outbox that a filter means.';

create function public.messenger_list_outbox(
  transport text default null, type text default null, queue text default null, state text default 'waiting',
  after bigint default null, max_messages integer default 50
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  clock constant timestamptz := public.messenger_now();
  found jsonb;
begin
  if state is null or state not in ('waiting', 'sent') then
    raise sqlstate 'PT400' using message = 'state: has to be waiting or sent';
  end if;
  if max_messages is null or max_messages not between 1 and 1000 then
    raise sqlstate 'PT400' using message = 'max_messages: has to be from 1 to 1000';
  end if;
  select coalesce(jsonb_agg(jsonb_build_object(
    'position', f.position::text, 'id', f.id::text, 'publication', f.publication, 'transport', f.transport,
    'type', f.type, 'queue', f.queue, 'priority', f.priority, 'group_key', f.group_key,
    'available_at', f.available_at, 'created_at', f.created_at, 'expires_at', f.expires_at, 'sent_at', f.sent_at,
    'retry_count', f.retry_count, 'attempts', f.attempts, 'refusals', f.refusals, 'refusal', f.refusal,
    'due', f.sent_at is null and f.available_at <= clock
  ) order by f.position), '[]') into found
  from (
    select * from messenger.outbox o
    where (o.sent_at is not null) = (messenger_list_outbox.state = 'sent')
      and o.position > coalesce(messenger_list_outbox.after, 0)
      and (messenger_list_outbox.transport is null or o.transport = messenger_list_outbox.transport)
      and (messenger_list_outbox.type is null or o.type = messenger_list_outbox.type)
      and (messenger_list_outbox.queue is null or messenger_list_outbox.queue in (o.queue, split_part(o.queue, '/', 1)))
    order by o.position limit max_messages
  ) as f;
  return jsonb_build_object('messages', found, 'next', case
    when jsonb_array_length(found) = max_messages then found -> -1 ->> 'position'
  end);
end
$$;
comment on function public.messenger_list_outbox(text, text, text, text, bigint, integer) is
  'Messages in the outbox, in the order of their positions: those that wait, or those that were sent and are kept. Returns {"messages", "next"}; give next as "after".';

-- Messages that an engine has, among the next sent rows: those of another project are out of reach.
create function messenger.held_positions(
  p_filter jsonb, p_after bigint, p_max_rows integer, out held bigint[], out last bigint
)
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := array(select i::bigint from jsonb_array_elements_text(p_filter -> 'ids') as i);
  looked_at bigint[];
begin
  looked_at := case
    when p_filter ? 'ids' then array(
      select o.position from messenger.outbox o
      where o.id = any (ids) and o.sent_at is not null and o.position > p_after
      order by o.position limit p_max_rows
    )
    else array(
      select o.position from messenger.outbox o
      where o.sent_at is not null and o.position > p_after
      order by o.position limit p_max_rows
    )
  end;
  last := looked_at[p_max_rows];
  held := array(
    select o.position from messenger.outbox o
    join messenger.transports t on t.name = o.transport and t.received
    where o.position = any (looked_at)
      and (not p_filter ? 'transport' or o.transport = p_filter ->> 'transport')
      and (not p_filter ? 'type' or o.type = p_filter ->> 'type')
      and (not p_filter ? 'queue' or p_filter ->> 'queue' in (o.queue, split_part(o.queue, '/', 1)))
      and (not p_filter ? 'group_key' or o.group_key = p_filter ->> 'group_key')
      and not messenger.has_outcome(o.transport, o.id, o.publication)
      and not messenger.is_marked(o.transport, o.id, o.publication)
    order by o.position
  );
end
$$;
comment on function messenger.held_positions(jsonb, bigint, integer) is
  'Positions of publications that an engine of this project has and a filter means, without those that are cancelled already, among the next sent rows of the outbox; and the place to continue after, null at the end.';

-- A worker that is just writing an outcome has written the entry of its publication in the inbox, in a transaction that
-- no other sees yet. An entry of the same key waits for that transaction, and is taken out again.
create function messenger.await_outcomes(p_positions bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  entries messenger.handled_deliveries[];
begin
  with written as (
    insert into messenger.handled_deliveries as known (transport, origin, id, publication, handled_at)
    select o.transport, messenger.installation_id(), o.id, o.publication, public.messenger_now() from messenger.outbox o
    where o.position = any (p_positions)
    order by o.transport, o.id, o.publication
    on conflict on constraint handled_deliveries_pkey do nothing
    returning known
  )
  select array_agg(w.known) into entries from written w;
  delete from messenger.handled_deliveries h using unnest(entries) as e
  where h.transport = e.transport and h.origin = e.origin and h.id = e.id and h.publication = e.publication;
end
$$;
comment on function messenger.await_outcomes(bigint[]) is
  'Part of mark_cancelled: waits for outcomes of publications that other transactions are writing. Outcomes that come later wait for this transaction.';

-- The rows are locked first: a message that is just written for its next run has it then.
create function messenger.mark_cancelled(p_positions bigint[]) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  locked bigint[];
  marked bigint[];
begin
  locked := array(
    select o.position from messenger.outbox o
    join messenger.transports t on t.name = o.transport and t.received
    where o.position = any (p_positions)
    order by o.position for update of o
  );
  perform messenger.await_outcomes(locked);
  with written as (
    insert into messenger.cancelled_deliveries as known (transport, id, publication, cancelled_at)
    select o.transport, o.id, o.publication, public.messenger_now() from messenger.outbox o
    where o.position = any (locked) and not messenger.has_outcome(o.transport, o.id, o.publication)
    order by o.transport, o.id, o.publication
    on conflict on constraint cancelled_deliveries_pkey do nothing
    returning known.id
  )
  select coalesce(array_agg(w.id), '{}') into marked from written w;
  return marked;
end
$$;
comment on function messenger.mark_cancelled(bigint[]) is
  'Part of cancel_positions: notes the cancel of publications that an engine of this project has or just gets, and returns the ids of their messages. They are dropped when a worker gets them.';

create function messenger.cancel_publications(p_positions bigint[], out done bigint[], out running bigint[])
language plpgsql
set search_path = ''
as $$
declare
  waiting bigint[];
  later bigint[];
  done_later bigint[] := array[]::bigint[];
  running_later bigint[] := array[]::bigint[];
begin
  -- A relay that begins meanwhile waits, or takes another shard; those at work have noted their batches.
  perform from messenger.relays r
  where exists (
    select from messenger.outbox o where o.position = any (p_positions) and o.sent_at is null and o.transport = r.transport
  )
  order by r.transport, r.shard
  for update;
  waiting := array(
    select o.position from messenger.outbox o
    where o.position = any (p_positions) and o.sent_at is null
      and not exists (
        select from messenger.relays r
        where r.transport = o.transport and r.shard = o.shard and r.leased_until > messenger.clock()
          and o.position = any (r.batch)
      )
    order by o.position for update of o
  );
  running := messenger.mark_cancelled(array(select unnest(p_positions) except select unnest(waiting)));
  -- The outcome of some was just written, so that their next publication may wait.
  later := array(
    select o.position from messenger.outbox o
    where o.sent_at is null and o.position <> all (p_positions)
      and o.id in (
        select h.id from messenger.outbox h
        where h.position = any (p_positions) and h.sent_at is not null and messenger.has_outcome(h.transport, h.id, h.publication)
      )
  );
  if cardinality(later) > 0 then
    select c.done, c.running into done_later, running_later from messenger.cancel_publications(later) as c;
  end if;
  running := running || running_later;
  -- Last, since it takes locks of home's messages.
  done := messenger.bury_outbox(
    (select coalesce(jsonb_agg(jsonb_build_object('position', p)), '[]') from unnest(waiting) as p), 'cancelled'
  ) || done_later;
end
$$;
comment on function messenger.cancel_publications(bigint[]) is
  'Part of cancel_positions: cancels rows of the outbox, in the order of locks.';

create function messenger.cancel_positions(p_positions bigint[], out done bigint[], out running bigint[])
language plpgsql
set search_path = ''
-- As in cancel_ids(): the caller may hold locks of messages already.
set lock_timeout = '200ms'
as $$
begin
  done := '{}';
  running := '{}';
  if cardinality(p_positions) = 0 then
    return;
  end if;
  for try in 1..10 loop
    begin
      select * into done, running from messenger.cancel_publications(p_positions);
      exit;
    exception when lock_not_available then
      if try = 10 then
        raise sqlstate 'PT503' using message = 'cancel: other sessions hold the messages locked',
          hint = 'Try again; nothing was changed.';
      end if;
    end;
  end loop;
end
$$;
comment on function messenger.cancel_positions(bigint[]) is
  'Makes dead letters of rows of the outbox that wait, and marks those that an engine of this project has or a relay is just publishing. Returns the ids of both.';

create function messenger.not_in_outbox(p_ids bigint[]) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(i.id::text order by i.id), '[]') from (select distinct unnest(p_ids) as id) as i
    where not exists (select from messenger.outbox o where o.id = i.id)
  );
end
$$;
comment on function messenger.not_in_outbox(bigint[]) is
  'Part of messenger_cancel_outbox: those of the ids that no row of the outbox has, as texts.';

create function messenger.in_other_projects(p_ids bigint[]) returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(jsonb_build_object('id', l.id::text, 'transport', l.transport) order by l.id)
    from (
      select distinct on (o.id) o.id, o.transport, o.sent_at from messenger.outbox o
      where o.id = any (p_ids) order by o.id, o.publication desc
    ) as l
    join messenger.transports t on t.name = l.transport and not t.received
    where l.sent_at is not null
  );
end
$$;
comment on function messenger.in_other_projects(bigint[]) is
  'Part of messenger_cancel_outbox: those of the ids that another project has, and its transport, [{"id", "transport"}]; null if there are none.';

create function public.messenger_cancel_outbox(
  ids bigint[] default null, transport text default null, type text default null, queue text default null,
  group_key text default null, "all" boolean default false, dry_run boolean default false, after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  most constant integer := 10000;
  filter constant jsonb := messenger.check_filter(jsonb_build_object(
    'ids', ids, 'transport', transport, 'type', type, 'queue', queue, 'group_key', group_key
  ), "all");
  place constant bigint := coalesce(messenger.place_after(after), 0);
  -- Messages that wait come first, then those that the engines have.
  in_engines constant boolean := coalesce(after ? 'held', false);
  matched bigint[] := array[]::bigint[];
  held bigint[] := array[]::bigint[];
  next jsonb;
  missing jsonb := '[]'::jsonb;
  elsewhere jsonb;
  cancelled record;
  fault_detail text;
begin
  if dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  if coalesce(after, 'null') = 'null' then
    missing := messenger.not_in_outbox(ids);
    elsewhere := messenger.in_other_projects(ids);
  end if;
  if not in_engines then
    matched := messenger.waiting_positions(filter, place, most);
    next := jsonb_build_object('id', matched[most]::text);
  end if;
  if cardinality(matched) < most then
    select h.held, jsonb_build_object('id', h.last::text, 'held', true) into held, next
    from messenger.held_positions(filter, case when in_engines then place else 0 end, most) as h;
  end if;
  select * into cancelled from messenger.cancel_positions(case when dry_run then '{}' else matched || held end);
  perform messenger.check_deferred('messenger_cancel_outbox');
  return jsonb_build_object(
    'matched', cardinality(matched) + cardinality(held), 'done', cardinality(cancelled.done),
    'running', cardinality(cancelled.running), 'missing', missing,
    'next', case when next ->> 'id' is not null then next end
  ) || case when elsewhere is not null then jsonb_build_object('elsewhere', elsewhere) else '{}' end;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_cancel_outbox(bigint[], text, text, text, text, boolean, boolean, jsonb) is
  'Cancels messages of other transports. Those that wait in the outbox are dead letters then, reason cancelled (done); those that a broker has, or a relay is just publishing to it, are marked, and become dead letters when a worker gets them (running). Messages that another project has, or just gets, stay. Takes one step; returns {"matched", "done", "running", "missing", "next"}; dry_run only counts. missing has the ids that are not in the outbox, in the first step; elsewhere, [{"id", "transport"}], those that another project has, where they are to be cancelled under the ids that they have there.';

-- A transport that the code declares no longer is known by its relays: its messages may still wait.
create function messenger.check_transport(p_transport text) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if p_transport is null then
    raise sqlstate 'PT400' using message = 'transport: is missing';
  end if;
  if not exists (select from messenger.transports t where t.name = p_transport)
    and not exists (select from messenger.relays r where r.transport = p_transport)
  then
    raise sqlstate 'PT404' using message = format('transport: there is no transport %s', p_transport);
  end if;
end
$$;
comment on function messenger.check_transport(text) is
  'Part of operations on the outbox: refuses a transport that is missing, or that messenger_transports does not list.';

create function public.messenger_run_outbox(
  transport text, dry_run boolean default false, after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  most constant integer := 10000;
  clock constant timestamptz := messenger.clock();
  waiting constant bigint[] := array(
    select o.position from messenger.outbox o
    where o.transport = messenger_run_outbox.transport and o.sent_at is null and o.available_at > clock
      and o.position > coalesce(messenger.place_after(after), 0)
    order by o.position limit most
  );
  answer jsonb;
  fault_detail text;
begin
  perform messenger.check_transport(transport);
  if dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  if not dry_run then
    update messenger.outbox o set available_at = clock where o.position = any (waiting) and o.sent_at is null;
    update messenger.relays r set retry_at = null where r.transport = messenger_run_outbox.transport;
    perform messenger.wake();
  end if;
  answer := messenger.outbox_step(waiting, case when dry_run then 0 else cardinality(waiting) end, most);
  perform messenger.check_deferred('messenger_run_outbox');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_run_outbox(text, boolean, jsonb) is
  'Publishes what waits for a transport now: delayed messages, retries, and what it has refused; it ends the pause after failures. Takes one step; returns {"matched", "done", "next"}.';

-- For an engine that has lost what it had confirmed. The receivers drop what they have handled.
create function public.messenger_resend_outbox(
  transport text, since timestamptz, dry_run boolean default false, after jsonb default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  most constant integer := 10000;
  sent bigint[];
  answer jsonb;
  fault_detail text;
begin
  perform messenger.check_transport(transport);
  if dry_run is null then
    raise sqlstate 'PT400' using message = 'dry_run: has to be true or false (null was given)';
  end if;
  if since is null then
    raise sqlstate 'PT400' using message = 'since: is missing; give the moment after which the engine lost messages';
  end if;
  sent := array(
    select o.position from messenger.outbox o
    where o.transport = messenger_resend_outbox.transport and o.sent_at >= messenger_resend_outbox.since
      and o.position > coalesce(messenger.place_after(after), 0)
    order by o.position limit most
  );
  if not dry_run then
    -- They are due since before the place at which reads may begin.
    update messenger.relays r set front_until = null where r.transport = messenger_resend_outbox.transport;
    update messenger.outbox o set sent_at = null, repeated = true, refusals = 0
    where o.position = any (sent) and o.sent_at is not null;
    perform messenger.wake();
  end if;
  answer := messenger.outbox_step(sent, case when dry_run then 0 else cardinality(sent) end, most);
  perform messenger.check_deferred('messenger_resend_outbox');
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_resend_outbox(text, timestamptz, boolean, jsonb) is
  'Publishes messages again that a transport had confirmed since a moment, as far as they are still kept. Takes one step; returns {"matched", "done", "next"}.';

create function public.messenger_set_outbox(
  max_bytes bigint default null, keep_sent interval default null, keep_handled interval default null
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  state messenger.outbox_state;
  fault_detail text;
begin
  if max_bytes < 1048576 then
    raise sqlstate 'PT400' using message = 'max_bytes: has to be at least 1048576';
  end if;
  if keep_sent < interval '0' or keep_sent > interval '7 days' then
    raise sqlstate 'PT400' using message = 'keep_sent: has to be from 0 to 7 days';
  end if;
  if keep_handled < interval '1 minute' or keep_handled > interval '90 days' then
    raise sqlstate 'PT400' using message = 'keep_handled: has to be from 1 minute to 90 days';
  end if;
  insert into messenger.outbox_state as known (max_bytes, keep_sent, keep_handled)
  values (
    coalesce(messenger_set_outbox.max_bytes, 1073741824), coalesce(messenger_set_outbox.keep_sent, '1 hour'),
    coalesce(messenger_set_outbox.keep_handled, '24 hours')
  )
  on conflict on constraint outbox_state_pkey do update set
    max_bytes = coalesce(messenger_set_outbox.max_bytes, known.max_bytes),
    keep_sent = coalesce(messenger_set_outbox.keep_sent, known.keep_sent),
    keep_handled = coalesce(messenger_set_outbox.keep_handled, known.keep_handled)
  returning * into state;
  perform messenger.check_deferred('messenger_set_outbox');
  return jsonb_build_object(
    'max_bytes', state.max_bytes, 'keep_sent', state.keep_sent, 'keep_handled', state.keep_handled
  );
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_set_outbox(bigint, interval, interval) is
  'Sets how many bytes may wait in the outbox, how long sent messages are kept, and how long handled deliveries are remembered. An argument that is left out changes nothing. Returns all three.';

create function public.messenger_transports() returns jsonb
language plpgsql
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'name', n.name, 'declared', t.name is not null, 'received', t.received,
      'waiting', messenger.capped(w.waiting, 100000), 'due', messenger.capped(w.due, 100000), 'bytes', w.bytes,
      'oldest_due_at', w.oldest, 'refused', w.refused,
      'failures', r.failures, 'failure', r.failure, 'retry_at', r.retry_at
    ) order by n.name), '[]')
    from (
      select k.name from messenger.transports k union select k.transport from messenger.relays k
    ) as n
    left join messenger.transports t on t.name = n.name
    left join lateral (
      select max(k.failures) as failures, (array_agg(k.failure order by k.failures desc))[1] as failure,
        max(k.retry_at) as retry_at
      from messenger.relays k where k.transport = n.name
    ) as r on true
    left join lateral (
      select count(*) as waiting, count(*) filter (where o.available_at <= messenger.clock()) as due,
        coalesce(sum(o.bytes), 0) as bytes, min(o.available_at) filter (where o.available_at <= messenger.clock()) as oldest,
        count(*) filter (where o.refusals > 0) as refused
      from (
        select f.available_at, f.bytes, f.refusals from messenger.outbox f
        where f.transport = n.name and f.sent_at is null limit 100001
      ) as o
    ) as w on true
  );
end
$$;
comment on function public.messenger_transports() is
  'The transports beside home, by name: [{"name", "declared", "received", "waiting", "due", "bytes", "oldest_due_at", "refused", "failures", "failure", "retry_at"}]. Counts go up to 100,000.';

create function messenger.prune_outbox(p_max_rows integer, p_dry_run boolean) returns integer
language plpgsql
set search_path = ''
as $$
declare
  keep_sent constant interval := coalesce((select s.keep_sent from messenger.outbox_state s), '1 hour');
begin
  return messenger.prune_before('messenger.outbox', 'sent_at', public.messenger_now() - keep_sent, p_max_rows, p_dry_run);
end
$$;
comment on function messenger.prune_outbox(integer, boolean) is
  'Part of pruning: deletes publications that were sent longer ago than they are kept, and returns how many.';

create function messenger.prune_deliveries(p_max_rows integer, p_dry_run boolean) returns integer
language plpgsql
set search_path = ''
as $$
declare
  keep_handled constant interval := coalesce((select s.keep_handled from messenger.outbox_state s), '24 hours');
begin
  return messenger.prune_before(
    'messenger.handled_deliveries', 'handled_at', public.messenger_now() - keep_handled, p_max_rows, p_dry_run
  ) + messenger.prune_before(
    'messenger.delivery_starts', 'started_at', public.messenger_now() - keep_handled, p_max_rows, p_dry_run
  ) + messenger.prune_before(
    -- An engine may have a message for long.
    'messenger.cancelled_deliveries', 'cancelled_at', public.messenger_now() - interval '30 days', p_max_rows, p_dry_run
  );
end
$$;
comment on function messenger.prune_deliveries(integer, boolean) is
  'Part of pruning: forgets handled deliveries that are older than they are remembered, and returns how many.';
