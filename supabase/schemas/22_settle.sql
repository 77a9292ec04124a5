-- Settling: the outcomes of leased messages are written in one call and one transaction, each under the token of
-- its claim. A message whose lease has moved on stays as it is, and the call names it as stale. A cancelled
-- message that would run again goes to the dead letters instead, and is named as stale too.
--
-- messenger.settle_outcomes() is the whole path of messenger_settle. Each outcome is written by a function of its own:
-- messenger.settle_handled() and the others are in 22_settle_outcomes.sql and 22_settle_parked.sql.
--
-- A settle call takes its locks in the order of 01_overview.sql: groups, messages, dead letters, leases. One
-- statement over ascending ids locks in their order; a call of several statements locks all its messages first.

-- `settlements` is an array with an entry for each token:
--   token     of the claim
--   grouped   true if one of its messages is in a group
--   groups    [[queue, key, ...]]: all groups of these messages, by their queues; without it, they are read
--   handled   ids: done, the row is deleted
--   batch     id of the batch whose members all of them are, if no schedule made one; without it, stamps are read
--   kept      [{id, keep_ms, result?}]: the handled messages that are remembered for a time
--   progressed  ids: the handled messages whose progress was reported
--   released  ids: given back unstarted, and the attempt with it
--   snoozed   [{id, delay_ms, stamps?}]: the handler asked for a later run; the attempt is given back
--   retries   [{id, delay_ms, retry_count, quarantined?, interrupted?, stamps?, errors?, ended?}]: the row stays and
--             waits; interrupted: the worker ended before the handlers did; the attempt is given back; ended: its row
--             could not be deleted when it ended as handled, or dead for this reason: no handler runs again
--   dead      [{id, reason, stamps?, errors?}]: the row moves to the dead letters
--   parked    [{id, delay_ms, step?, leave_group?, stamps?}]: the run ended before its handler did, to continue in
--             a later run; the attempt is given back
--   durable   ids: the handled messages that have steps
--   effects   [{id, messages, emits}]: what the message's handlers dispatched, written with its outcome
-- Returns {"stale": [ids]}: the messages whose outcome was not written, because another token has their lease or
-- they are cancelled. With effects also {"refused": [{id, token, code, message, details, of_outcome}]}: the
-- messages whose outcome was not written, because their effects are refused, or it itself. They stay leased.
create function messenger.settle_outcomes(p_settlements jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  settlement jsonb; token uuid; ids bigint[];
  settled bigint[] := array[]::bigint[];
  refusals jsonb := '[]'::jsonb;
  tokens uuid[] := array[]::uuid[]; numbers integer[] := array[]::integer[];
  is_plain boolean;
  queues text[]; group_keys text[];
begin
  if jsonb_typeof(p_settlements) is distinct from 'array' then
    raise sqlstate 'PT400' using message = 'settlements: has to be an array';
  end if;
  if p_settlements @> '[{"grouped": true}]' then
    select g.queues, g.group_keys into queues, group_keys from messenger.lock_settled_groups(p_settlements) as g;
    -- The trigger of messenger_messages leaves the groups to the end of this call.
    perform set_config('messenger.groups', 'settled', true);
  end if;
  -- Handled messages under one token take one statement, which locks in order and pays for no lock twice.
  is_plain := jsonb_array_length(p_settlements) = 1 and not p_settlements @? '$[*] ? (
    exists(@.released) || exists(@.snoozed) || exists(@.retries) || exists(@.dead) || exists(@.kept)
      || exists(@.parked) || exists(@.effects)
  )';
  if not is_plain then
    perform messenger.lock_settled(p_settlements);
  end if;
  -- A query would take 10 us more.
  for place in 0..jsonb_array_length(p_settlements) - 1 loop
    settlement := p_settlements -> place;
    token := (settlement ->> 'token')::uuid;
    if settlement ? 'effects' then
      select s.settled, refusals || s.refused into ids, refusals from messenger.settle_with_effects(settlement, token) as s;
    else
      ids := messenger.settle_token(settlement, token);
    end if;
    settled := settled || ids;
    tokens := tokens || token;
    numbers := numbers || cardinality(ids);
  end loop;
  perform messenger.close_leases(tokens, numbers);
  if queues is not null then
    perform set_config('messenger.groups', '', true);
    perform messenger.reopen_groups(queues, group_keys);
  end if;
  -- These messages fall due later, and by then perhaps no worker is awake.
  if queues is not null or not is_plain and p_settlements @? '$[*] ? (
    exists(@.retries) || exists(@.snoozed) || exists(@.released) || exists(@.parked)
  )' then
    perform messenger.wake_for_next();
  end if;
  if refusals <> '[]' then
    return messenger.settled_in_part(p_settlements, settled, refusals);
  end if;
  -- To ask settle_stale() costs a call of 20 messages a twentieth.
  return case when is_plain and cardinality(settled) = jsonb_array_length(settlement -> 'handled') then '{"stale": []}'
    else jsonb_build_object('stale', messenger.settle_stale(p_settlements, settled)::text[]) end;
end
$$;
comment on function messenger.settle_outcomes(jsonb) is
  'Part of messenger_settle: all of it but the errors of a project''s own triggers.';

create function messenger.settlements_shape() returns jsonb
language sql immutable
set search_path = ''
as $$
  select replace(replace(
    '[{
      "token!": "uuid", "groups+": [["text"]], "handled+": ["bigint"], "batch": "text", "progressed+": ["bigint"],
      "released+": ["bigint"], "durable+": ["bigint"], "kept+": [{"id!": "bigint", "keep_ms!": "<delay>"}],
      "snoozed+": [{"id!": "bigint", "delay_ms!": "<delay>", "stamps": {}}],
      "retries+": [{
        "id!": "bigint", "delay_ms!": "<delay>", "retry_count!": "bigint", "quarantined": "boolean",
        "interrupted": "boolean", "stamps": {}, "errors": [{}]
      }],
      "dead+": [{"id!": "bigint", "reason!": "text <reasons>", "stamps": {}, "errors": [{}]}],
      "parked+": [{
        "id!": "bigint", "delay_ms": "<delay>", "leave_group": "boolean", "waits+": ["text"], "stamps": {}, "step": {
          "handler!": "text 1..255", "name!": "text 1..255", "key": "text 0..255", "nth": "integer 1..2147483647",
          "kind!": "text step|sleep|wait|effect|all", "until": "timestamptz", "until_ms": "<delay>"
        }
      }],
      "effects+": [{"id!": "bigint", "messages+": [{}], "emits+": [{}]}]
    }]', '<delay>', 'double precision 0..3155760000000'
  ), '<reasons>', array_to_string(messenger.dead_reasons(), '|'))::jsonb
$$;
comment on function messenger.settlements_shape() is
  'Part of messenger_settle that has failed: what settlements have to be, for messenger.refuse_shape().';

create function public.messenger_settle(settlements jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  answer jsonb;
  fault_detail text; place_of_fault text;
begin
  answer := messenger.settle_outcomes(settlements);
  -- As messenger.check_deferred(), whose call costs 10 us.
  if starts_with(current_setting('request.path', true), '/rpc/messenger_settle') then
    set constraints all immediate;
  end if;
  return answer;
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail, place_of_fault = pg_exception_context;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  perform messenger.refuse_for_now(sqlstate, sqlerrm, fault_detail, place_of_fault);
  perform messenger.refuse_shape(sqlstate, 'settlements', settlements, messenger.settlements_shape());
  raise;
end
$$;
comment on function public.messenger_settle(jsonb) is
  'Writes the outcomes of leased messages in one transaction: handled, released, snoozed, retries, dead, parked. Returns {"stale": [...]}: messages whose outcome was not written, because another token has their lease or they are cancelled; and {"refused": [...]}, if what their handlers dispatched is refused.';

create function messenger.settle_token(p_settlement jsonb, p_fence uuid) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  settled bigint[] := array[]::bigint[];
begin
  if p_fence is null then
    raise sqlstate 'PT400' using message = 'settlements: an entry has no token';
  end if;
  -- The outcomes note the members of batches that they delete.
  perform set_config('messenger.settles', 'true', true);
  if p_settlement ? 'kept' then
    perform messenger.remember_handled(p_settlement -> 'kept', p_fence);
  end if;
  if p_settlement ? 'handled' then
    settled := messenger.settle_handled(p_settlement, p_fence);
  end if;
  -- Most calls ask one question in place of five.
  if p_settlement ?| '{released,snoozed,retries,dead,parked}' then
    if p_settlement ? 'released' then
      settled := settled || messenger.settle_released(p_settlement, p_fence);
    end if;
    if p_settlement ? 'snoozed' then
      settled := settled || messenger.settle_snoozed(p_settlement, p_fence);
    end if;
    if p_settlement ? 'retries' then
      settled := settled || messenger.settle_retried(p_settlement, p_fence);
    end if;
    if p_settlement ? 'dead' then
      settled := settled || messenger.settle_dead(p_settlement, p_fence);
    end if;
    if p_settlement ? 'parked' then
      settled := settled || messenger.settle_parked(p_settlement, p_fence);
    end if;
  end if;
  perform set_config('messenger.settles', '', true);
  return settled;
end
$$;
comment on function messenger.settle_token(jsonb, uuid) is
  'Part of messenger_settle: writes the outcomes under one token, and returns the ids of the messages that it settled.';

-- Nearly every call settles all messages that it names. Then it is enough to count the names, which costs a tenth of
-- reading the ids. A loop counts them, because a query takes 20 us more. Calls of one token that were all handled do not
-- come here. A message that still has its lease was skipped by a trigger of the project's own: it is not stale.
create function messenger.settle_stale(p_settlements jsonb, p_settled bigint[])
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
  entry jsonb;
  named integer := 0;
  stale bigint[];
begin
  for place in 0..jsonb_array_length(p_settlements) - 1 loop
    entry := p_settlements -> place;
    named := named + coalesce(jsonb_array_length(entry -> 'handled'), 0)
      + coalesce(jsonb_array_length(entry -> 'released'), 0) + coalesce(jsonb_array_length(entry -> 'snoozed'), 0)
      + coalesce(jsonb_array_length(entry -> 'retries'), 0) + coalesce(jsonb_array_length(entry -> 'dead'), 0)
      + coalesce(jsonb_array_length(entry -> 'parked'), 0);
  end loop;
  if cardinality(p_settled) = named then
    return '{}'::bigint[];
  end if;
  stale := array(select unnest(messenger.settled_ids(p_settlements)) except select unnest(p_settled));
  perform messenger.settle_cancelled(p_settlements, stale);
  if exists (
    select from public.messenger_messages m
    join jsonb_array_elements(p_settlements) as s (one) on (s.one ->> 'token')::uuid = m.lease_token
    where m.id = any (stale) and not m.cancelled and m.id = any (messenger.settled_ids(jsonb_build_array(s.one)))
  ) then
    perform messenger.refuse_skipped('messenger_messages');
  end if;
  return stale;
end
$$;
comment on function messenger.settle_stale(jsonb, bigint[]) is
  'Part of messenger_settle: returns the ids that settlements name and that were not settled, and buries the cancelled messages among them.';

-- A cancelled message that was to run again goes to the dead letters, with the stamps and errors of its
-- settlement. Only a stale message can be one, so that other calls do not look for them.
create function messenger.settle_cancelled(p_settlements jsonb, p_ids bigint[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  burials jsonb;
begin
  select jsonb_agg(jsonb_build_object(
    'token', m.lease_token,
    'dead', jsonb_build_array(jsonb_build_object(
      'id', m.id, 'reason', 'cancelled',
      'stamps', given.outcome -> 'stamps', 'errors', given.outcome -> 'errors'
    ))
  ) || messenger.effects_of(entry, m.id::text))
  into burials
  from public.messenger_messages m
  join jsonb_array_elements(p_settlements) as s (entry) on (entry ->> 'token')::uuid = m.lease_token
  left join lateral jsonb_array_elements(
    coalesce(entry -> 'retries', '[]') || coalesce(entry -> 'snoozed', '[]') || coalesce(entry -> 'parked', '[]')
  ) as given (outcome) on (given.outcome ->> 'id')::bigint = m.id
  where m.id = any (p_ids) and m.cancelled;

  if burials is not null then
    perform public.messenger_settle(burials);
  end if;
end
$$;
comment on function messenger.settle_cancelled(jsonb, bigint[]) is
  'Part of messenger_settle: moves cancelled messages that were to run again to the dead letters.';

create function messenger.settled_ids(p_settlements jsonb) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select i.id::bigint
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral (
      select jsonb_array_elements_text(
        coalesce(s.entry -> 'handled', '[]') || coalesce(s.entry -> 'released', '[]')
      )
      union all
      select jsonb_array_elements(
        coalesce(s.entry -> 'snoozed', '[]') || coalesce(s.entry -> 'retries', '[]')
          || coalesce(s.entry -> 'dead', '[]') || coalesce(s.entry -> 'parked', '[]')
      ) ->> 'id'
    ) as i (id)
  );
end
$$;
comment on function messenger.settled_ids(jsonb) is
  'Part of a settle call: the ids of all messages that settlements name.';

-- The statements of a call do not meet its messages in the order of locks, so a call of several statements first
-- locks all its messages.
create function messenger.lock_settled(p_settlements jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  ids constant bigint[] := messenger.settled_ids(p_settlements);
begin
  perform from public.messenger_messages m
  where m.id = any (ids)
  order by m.id
  for update;
end
$$;
comment on function messenger.lock_settled(jsonb) is
  'Part of a settle call that takes several statements: locks its messages, ascending by id.';

-- A running message keeps its group, so the worker can name the groups. To read the groups from the messages
-- costs as much as to delete the messages.
create function messenger.lock_settled_groups(
  p_settlements jsonb, out queues text[], out group_keys text[]
)
language plpgsql
set search_path = ''
as $$
begin
  if p_settlements @? '$[*] ? (@.grouped == true && !exists(@.groups))' then
    select g.queues, g.group_keys into queues, group_keys
    from messenger.lock_groups(messenger.settled_ids(p_settlements), p_running => true) as g;
    return;
  end if;
  select coalesce(array_agg(g.queue), '{}'), coalesce(array_agg(g.group_key), '{}')
  into queues, group_keys
  from (
    select l.list ->> 0 as queue, jsonb_array_elements_text(l.list - 0) as group_key
    from jsonb_array_elements(p_settlements) as s (entry)
    cross join lateral jsonb_array_elements(s.entry -> 'groups') as l (list)
  ) as g
  where g.queue is not null and g.group_key is not null;
  perform messenger.take_group_locks(queues, group_keys);
end
$$;
comment on function messenger.lock_settled_groups(jsonb) is
  'Part of a settle call: takes the locks of its messages'' groups and returns the groups, some maybe twice.';

-- One round trip a batch: settles the last batch and claims the next. It returns a set of one row, which PostgREST
-- passes on as it is, [row]. PostgREST would read through a single value once more to take it out of such brackets,
-- which costs 1.3 us a message.
create function public.messenger_settle_and_claim(
  settlements jsonb,
  token uuid,
  max_messages integer default 100,
  lease_ms integer default 60000,
  queues text[] default null,
  last_keys jsonb default null,
  run_alone boolean default false,
  sweep boolean default true,
  repeated boolean default false,
  slots integer default null,
  start_within_ms integer default 250,
  max_bytes bigint default 8388608,
  unread boolean default false,
  bare_stamps boolean default false
) returns setof json
language plpgsql
rows 1
set search_path = ''
as $$
declare
  settled constant jsonb := public.messenger_settle(settlements);
  -- A settled message of a group unblocks the next one, which may stand before the last keys.
  keeps_keys constant boolean := not settlements @> '[{"grouped": true}]';
begin
  return next json_build_object('stale', settled -> 'stale', 'refused', settled -> 'refused', 'claim', public.messenger_claim(
    token, max_messages, lease_ms, queues, case when keeps_keys then last_keys end, run_alone, sweep,
    repeated, slots, start_within_ms, max_bytes, unread, bare_stamps
  ));
end
$$;
comment on function public.messenger_settle_and_claim(
  jsonb, uuid, integer, integer, text[], jsonb, boolean, boolean, boolean, integer, integer, bigint,
  boolean, boolean
) is
  'messenger_settle and messenger_claim in one call and one transaction: a worker''s one round trip for each batch. Returns one row: {"stale", "refused", "claim"}.';
