-- Following: the state of messages, as the user who dispatched them may see it. A message is in one of three tables,
-- or in none once it is handled and not kept. One of another transport is in the outbox, and stays there for a time
-- after it was sent: messenger.is_outside() tells whether it has not ended yet.

-- `place` decides where an id is in two tables, which only a restore brings about. No branch has a condition of its
-- own, so that Postgres puts the tables in place of the view, and reads each by its index of users in the order of
-- the ids.
create view messenger.followable_messages with (security_invoker = true) as
select m.id, 1 as place, m.stamps #>> '{user,id}' as user_id, m.type,
  case
    when m.status = 'processing' then 'processing'
    -- The retries of a message with steps are counted from its last stored step: a sleep is no retry.
    when m.attempts > 0 and (m.retry_count > 0 or (m.stamps ? 'durable') is not true) then 'retrying'
    else 'pending'
  end as status,
  m.cancelled or exists (select from messenger.cancel_notes n where n.message_id = m.id) as cancelling, null::text as reason,
  m.attempts, m.created_at, m.available_at,
  null::timestamptz as finished_at, 'infinity'::timestamptz as keep_until, null::jsonb as result
from public.messenger_messages m
union all
select d.id, 2, d.stamps #>> '{user,id}', d.type,
  case d.reason when 'cancelled' then 'cancelled' else 'failed' end,
  false, d.reason, d.attempts, d.created_at, null::timestamptz, d.failed_at, 'infinity'::timestamptz,
  null::jsonb
from public.messenger_failed_messages d
union all
select h.id, 3, h.user_id, h.type, 'handled', false, null::text, h.attempts, h.created_at,
  null::timestamptz, h.handled_at, h.keep_until, h.result
from public.messenger_handled_messages h
union all
select o.id, 4, o.stamps #>> '{user,id}', o.type, case when o.retry_count > 0 then 'retrying' else 'pending' end,
  messenger.is_marked(o.transport, o.id, o.publication), null::text, o.attempts, o.created_at, o.available_at,
  null::timestamptz, 'infinity'::timestamptz, null::jsonb
from messenger.outbox o;
comment on view messenger.followable_messages is
  'Messages that wait, run, are dead letters, or are handled and kept, and the rows of the outbox, in the words that users get. keep_until may have passed, and a row of the outbox may have ended.';
comment on column messenger.followable_messages.id is
  'Identity of the message.';
comment on column messenger.followable_messages.place is
  '1: waits or runs. 2: a dead letter. 3: handled. 4: a row of the outbox.';
comment on column messenger.followable_messages.user_id is
  'The user who dispatched it; null if no user did.';
comment on column messenger.followable_messages.type is
  'Name of the message definition.';
comment on column messenger.followable_messages.status is
  'pending: waits for its first attempt, or sleeps or waits between its steps. processing: runs. retrying: waits for another attempt. failed, cancelled: a dead letter. handled: done.';
comment on column messenger.followable_messages.cancelling is
  'It runs, and its worker is to stop it; or an engine has it, and it is dropped at its delivery.';
comment on column messenger.followable_messages.reason is
  'Why it is a dead letter; null if it is none.';
comment on column messenger.followable_messages.attempts is
  'How often a worker has claimed it.';
comment on column messenger.followable_messages.created_at is
  'When it was dispatched.';
comment on column messenger.followable_messages.available_at is
  'When it is or was due; null once it is done.';
comment on column messenger.followable_messages.finished_at is
  'When it was handled or became a dead letter.';
comment on column messenger.followable_messages.keep_until is
  'From this moment on it is forgotten.';
comment on column messenger.followable_messages.result is
  'The value that its handler returned, if it is handled and the value is kept.';

-- A message that another project handles is not known any more when it is there.
create function messenger.is_outside(p_id bigint) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (
    select from messenger.outbox o
    left join messenger.transports t on t.name = o.transport
    where o.id = p_id and case
      when t.received then not messenger.has_outcome(o.transport, o.id, o.publication)
      else o.sent_at is null and not o.repeated
    end
  );
end
$$;
comment on function messenger.is_outside(bigint) is
  'Whether a message of the outbox has not ended: it waits to be published, or the engine of one of this project''s own transports has it.';

-- Every state that users get is made here: those that they ask for and those that are broadcast.
create function messenger.followed_message(
  p_id bigint,
  p_type text,
  p_status text,
  p_attempts integer,
  p_created_at timestamptz,
  p_available_at timestamptz default null,
  p_finished_at timestamptz default null,
  p_reason text default null,
  p_cancelling boolean default false,
  p_progress jsonb default null,
  p_result jsonb default null
) returns jsonb
-- In plpgsql: each call would plan a function in language SQL again.
language plpgsql stable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'kind', 'message', 'id', p_id::text, 'type', p_type, 'status', p_status,
    'cancelling', p_cancelling, 'reason', p_reason, 'attempt', p_attempts,
    'createdAt', p_created_at, 'availableAt', p_available_at, 'finishedAt', p_finished_at,
    'progress', p_progress
  ) || case when p_result is null then '{}' else jsonb_build_object('result', p_result) end;
end
$$;
comment on function messenger.followed_message(
  bigint, text, text, integer, timestamptz, timestamptz, timestamptz, text, boolean, jsonb, jsonb
) is
  'The state of a message in the form that users get: {"kind", "id", "type", "status", "cancelling", "reason", "attempt", "createdAt", "availableAt", "finishedAt", "progress"}, and "result" if one is kept, never its payload or its errors.';

create function messenger.followed(p_ids bigint[], p_user_id text)
returns table (id bigint, message jsonb)
language sql stable
set search_path = ''
as $$
  select distinct on (f.id) f.id, messenger.followed_message(
    f.id, f.type, f.status, f.attempts, f.created_at, f.available_at, f.finished_at, f.reason,
    f.cancelling, case
      when p.value is not null
      then jsonb_build_object('value', p.value, 'note', p.note, 'at', p.at)
    end, f.result
  ) || messenger.followed_steps(f.id)
  from messenger.followable_messages f
  -- A handled message has no progress any more, whether or not its row is deleted yet.
  left join messenger.progress p on p.message_id = f.id and f.place < 3
  where f.id = any (p_ids) and f.keep_until > public.messenger_now()
    and (p_user_id is null or f.user_id = p_user_id)
    and (f.place < 4 or messenger.is_outside(f.id))
  -- Of several publications the last one counts.
  order by f.id, f.place, f.available_at desc
$$;
comment on function messenger.followed(bigint[], text) is
  'The states of messages by their ids: of all, or of those that one user dispatched. No row for an id that is unknown, no longer known, or another user''s.';

create function public.messenger_follow(id bigint, user_id text default null)
returns jsonb
language sql stable
set search_path = ''
as $$
  select f.message
  from messenger.followed(array[messenger_follow.id], messenger_follow.user_id) f
$$;
comment on function public.messenger_follow(bigint, text) is
  'The state of a message: {"kind", "id", "type", "status", "cancelling", "reason", "attempt", "createdAt", "availableAt", "finishedAt", "progress"}, "steps" if it has durable ones, and "result" if one is kept, never its payload or its errors. With a user_id only of that user''s. Null alike for an id that is unknown, no longer known, or another user''s.';

create function public.messenger_follow_all(ids bigint[], user_id text default null)
returns jsonb
language sql stable
set search_path = ''
as $$
  with wanted as (
    select i.id, min(i.place) as place
    from unnest(messenger_follow_all.ids) with ordinality as i (id, place)
    group by i.id
  )
  select jsonb_build_object(
    'messages',
    coalesce(jsonb_agg(f.message order by w.place) filter (where f.id is not null), '[]'),
    'missing',
    coalesce(jsonb_agg(w.id::text order by w.place) filter (where f.id is null), '[]')
  )
  from wanted w
  left join messenger.followed(messenger_follow_all.ids, messenger_follow_all.user_id) f
    on f.id = w.id
$$;
comment on function public.messenger_follow_all(bigint[], text) is
  'The states of messages as messenger_follow returns them, in the order of the ids, each once. Returns {"messages", "missing"}; missing are the ids that are unknown, no longer known, or another user''s.';

-- Reads at most `max_scanned` messages of the user, whatever the filter: a page may come back short, with a `next` to
-- continue behind. A status is looked for only in the table that has it.
--
-- The order begins with the user, who is compared to an array of one element: then the planner does not know that all
-- rows have the same user, and that it could read a primary key in its order past the messages of all others.
create function public.messenger_list_user_messages(
  user_id text,
  type text default null,
  status text default null,
  before_id bigint default null,
  max_messages integer default 50,
  max_scanned integer default 2000
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  places constant integer[] := case
    when status in ('failed', 'cancelled') then '{2}'::integer[] when status = 'handled' then '{3}'
    when status = 'processing' then '{1}' when status is not null then '{1,4}' else '{1,2,3,4}'
  end;
  first_behind constant bigint := coalesce(before_id, 9223372036854775807);
  page bigint[];
  last_seen bigint;
begin
  perform messenger.page_size(max_messages, 'max_messages'), messenger.page_size(max_scanned, 'max_scanned');
  page := array(
    select s.id
    from (
      select f.id, f.type, f.status, f.keep_until, f.place from messenger.followable_messages f
      where f.user_id = any (array[messenger_list_user_messages.user_id]) and f.id < first_behind
        and f.place = any (places)
      order by f.user_id desc, f.id desc
      limit max_scanned
    ) as s
    where (messenger_list_user_messages.type is null or s.type = messenger_list_user_messages.type)
      and (
        messenger_list_user_messages.status is null
        or s.status = messenger_list_user_messages.status
      )
      and s.keep_until > public.messenger_now()
      and (s.place < 4 or messenger.is_outside(s.id))
    limit max_messages + 1
  );
  if cardinality(page) > max_messages then
    last_seen := page[max_messages];
  else
    select f.id into last_seen from messenger.followable_messages f
    where f.user_id = any (array[messenger_list_user_messages.user_id]) and f.id < first_behind
      and f.place = any (places)
    order by f.user_id desc, f.id desc
    offset max_scanned - 1 limit 1;
  end if;
  return jsonb_build_object(
    'messages', (
      select coalesce(jsonb_agg(f.message order by f.id desc), '[]')
      from messenger.followed(page[:max_messages], messenger_list_user_messages.user_id) f
      -- A row of the outbox may be older than its message's state at home.
      where messenger_list_user_messages.status is null or f.message ->> 'status' = messenger_list_user_messages.status
    ),
    'next', last_seen::text
  );
end
$$;
comment on function public.messenger_list_user_messages(text, text, text, bigint, integer, integer) is
  'Messages that a user dispatched, the latest first, those before an id, of a type and in a status of messenger_follow. Returns {"messages", "next"}, the messages as messenger_follow returns them; a page that met max_scanned is short, and next continues behind it.';

create function messenger.positions_of(p_id bigint, p_user_id text) returns bigint[]
language plpgsql
set search_path = ''
as $$
begin
  return array(
    select o.position from messenger.outbox o
    where o.id = p_id and (p_user_id is null or o.stamps #>> '{user,id}' = p_user_id)
  );
end
$$;
comment on function messenger.positions_of(bigint, text) is
  'Part of messenger_cancel_message: positions in the outbox of a message; with a user, only of one that this user dispatched.';

-- The user of a message stays the same, so that the check still holds when cancel_ids() locks the message.
create function public.messenger_cancel_message(id bigint, user_id text default null)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  fault_detail text;
begin
  -- The outbox comes first: a message that an engine has may just become one of home.
  perform messenger.cancel_positions(messenger.positions_of(id, user_id));
  if exists (
    select from public.messenger_messages m
    where m.id = messenger_cancel_message.id
      and (
        messenger_cancel_message.user_id is null
        or m.stamps #>> '{user,id}' = messenger_cancel_message.user_id
      )
  ) then
    perform messenger.cancel_ids(array[messenger_cancel_message.id]);
  end if;
  perform messenger.check_deferred('messenger_cancel_message');
  return public.messenger_follow(messenger_cancel_message.id, messenger_cancel_message.user_id);
exception when others then
  get stacked diagnostics fault_detail = pg_exception_detail;
  perform messenger.refuse_conflict(sqlstate, sqlerrm, fault_detail);
  raise;
end
$$;
comment on function public.messenger_cancel_message(bigint, text) is
  'Cancels one message, as messenger_cancel does; with a user_id, only one that this user dispatched. Returns its state afterwards as messenger_follow does: cancelled, or cancelling while it runs, or a broker has or just gets it; what is finished stays as it is, and so does what another project has.';
