-- Live updates: where Supabase Realtime is, what becomes of a message whose definition is `live` is
-- broadcast to the user who dispatched it, in the transaction that changes it: the status, as
-- messenger_follow returns it, on the private channel messenger:<user id>. All of it is in triggers
-- whose condition is the stamp `live`; without Realtime they do not exist.

-- A broadcast that fails never fails the change that it reports.
create function messenger.broadcast(p_message jsonb, p_user_id text) returns void
language plpgsql
set search_path = ''
as $$
declare
  -- Named when it runs, for where Realtime is not there is no such function to be checked against.
  send constant text := 'realtime.send';
begin
  if p_message is not null and p_user_id is not null then
    execute format('select %s($1, ''message'', $2, true)', send)
    -- Realtime refuses large messages. A result that is null may have to be asked for.
    using case
      when pg_column_size(p_message -> 'result') > 8192 then p_message || '{"result": null}' else p_message
    end,
      'messenger:' || p_user_id;
  end if;
exception when others then
  raise warning 'message % was not broadcast: %', p_message ->> 'id', sqlerrm;
end
$$;
comment on function messenger.broadcast(jsonb, text) is
  'Tells a user of a message, on their channel. Never raises.';

create function messenger.broadcast_message() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(
    public.messenger_follow(new.id), new.stamps #>> '{user,id}'
  );
  return null;
end
$$;
comment on function messenger.broadcast_message() is
  'Trigger: broadcasts a message that waits, runs or is a dead letter.';

-- A trigger of messenger_failed_messages reports dead letters.
create function messenger.broadcast_handled() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from public.messenger_failed_messages f where f.id = old.id) then
    perform messenger.broadcast(
      coalesce(
        public.messenger_follow(old.id),
        messenger.followed_message(
          old.id, old.type, 'handled', old.attempts, old.created_at,
          p_finished_at => public.messenger_now()
        )
      ),
      old.stamps #>> '{user,id}'
    );
  end if;
  return null;
end
$$;
comment on function messenger.broadcast_handled() is
  'Trigger: broadcasts a message that was running and is gone, unless it is a dead letter.';

create function messenger.broadcast_progress() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(
    public.messenger_follow(new.message_id), m.stamps #>> '{user,id}'
  )
  from public.messenger_messages m
  where m.id = new.message_id and m.stamps ? 'live';
  return null;
end
$$;
comment on function messenger.broadcast_progress() is
  'Trigger: broadcasts what a handler reports of a live message.';

create function messenger.broadcast_batch() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(messenger.batch_state(new), new.user_id);
  return null;
end
$$;
comment on function messenger.broadcast_batch() is
  'Trigger: broadcasts the counts of a batch.';

-- A statement stores the steps of several messages, and several steps of one.
create function messenger.broadcast_steps() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform messenger.broadcast(public.messenger_follow(m.id), m.stamps #>> '{user,id}')
  from public.messenger_messages m
  where m.id in (select s.message_id from stored s) and m.stamps ? 'live' and m.status = 'processing';
  return null;
end
$$;
comment on function messenger.broadcast_steps() is
  'Trigger: broadcasts live messages of which steps were stored while they run.';

create function public.messenger_enable_live() returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if to_regclass('realtime.messages') is null
    or to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
  then
    return false;
  end if;

  create or replace trigger messenger_messages_live_written
    after insert on public.messenger_messages
    for each row when (new.stamps ? 'live')
    execute function messenger.broadcast_message();
  -- A cancel or a sweep takes a message that waits under a lease without an attempt. That one does not run: it is told
  -- as the dead letter that it becomes.
  create or replace trigger messenger_messages_live_changed
    after update of status, cancelled on public.messenger_messages
    for each row when (
      new.stamps ? 'live' and (
        old.status <> new.status and (new.status = 'pending' or new.attempts > old.attempts)
        or not old.cancelled and new.cancelled
      )
    )
    execute function messenger.broadcast_message();
  create or replace trigger messenger_messages_live_handled
    after delete on public.messenger_messages
    for each row when (old.stamps ? 'live' and old.status = 'processing')
    execute function messenger.broadcast_handled();
  create or replace trigger messenger_failed_messages_live
    after insert on public.messenger_failed_messages
    for each row when (new.stamps ? 'live')
    execute function messenger.broadcast_message();
  create or replace trigger progress_live
    after insert or update on messenger.progress
    for each row execute function messenger.broadcast_progress();
  create or replace trigger messenger_batches_live
    after update of told_at on public.messenger_batches
    for each row when (new.live and new.told_at is distinct from old.told_at)
    execute function messenger.broadcast_batch();
  create or replace trigger messenger_steps_live_stored
    after insert on public.messenger_steps referencing new table as stored
    for each statement execute function messenger.broadcast_steps();

  if not exists (
    select from pg_catalog.pg_policies p
    where p.schemaname = 'realtime' and p.tablename = 'messages'
      and p.policyname = 'messenger: users hear of their own messages'
  ) then
    create policy "messenger: users hear of their own messages" on realtime.messages
      for select to authenticated
      using (
        extension = 'broadcast'
        and (select realtime.topic()) = 'messenger:' || (select auth.jwt() ->> 'sub')
      );
  end if;
  return true;
end
$$;
comment on function public.messenger_enable_live() is
  'Turns live updates on if Realtime is there, and returns whether it is. The migration calls it; call it again if Realtime came later.';

do $$
begin
  perform public.messenger_enable_live();
exception when others then
  raise warning 'live updates are off, messenger_enable_live() turns them on: %', sqlerrm;
end
$$;
