-- Durable steps as others see them: users who follow a message get names, operators all but large results.

-- A step that has ended costs no write of its own: it is stored by then, or another lease has the message.
create function messenger.running_step(p_id bigint) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select p.step from messenger.progress p
    join public.messenger_messages m on m.id = p.message_id and m.lease_token = p.step_token
    where p.message_id = p_id and m.status = 'processing' and not exists (
        select from public.messenger_steps s
        where s.message_id = p_id and s.status <> 'pending' and (s.handler, s.name, s.key, s.nth) = (
            p.step ->> 'handler', p.step ->> 'name', p.step ->> 'key', (p.step ->> 'nth')::integer
          )
      )
  );
end
$$;
comment on function messenger.running_step(bigint) is
  'The durable step of a message that runs at this moment, as messenger.progress has it; null if none has run for a second.';

-- An empty object for a message without steps: nothing of it is in the state of such a message.
create function messenger.followed_steps(p_id bigint) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  running constant jsonb := messenger.running_step(p_id);
begin
  if running is null and not exists (select from public.messenger_steps s where s.message_id = p_id) then
    return '{}'::jsonb;
  end if;
  return jsonb_build_object('steps', jsonb_build_object(
    'current', case
      when running is not null
      then jsonb_build_object('name', running ->> 'name', 'kind', running ->> 'kind', 'until', null)
      else (
        select jsonb_build_object('name', s.name, 'kind', s.kind, 'until', s.until)
        from public.messenger_steps s
        where s.message_id = p_id and s.status = 'pending'
          -- A redrive leaves steps pending that are to continue their batch or to make another.
          and (s.kind in ('sleep', 'wait') or s.kind = 'all' and s.details ? 'batch')
        order by s.position
        limit 1
      )
    end,
    'done', array(
      select l.name from (
        select s.name, s.position from public.messenger_steps s
        where s.message_id = p_id and s.status = 'done' and s.kind <> 'sleep'
        order by s.position desc
        limit 100
      ) as l
      order by l.position
    ),
    'number', (
      select count(*) from public.messenger_steps s
      where s.message_id = p_id and s.status = 'done' and s.kind <> 'sleep'
    )
  ));
end
$$;
comment on function messenger.followed_steps(bigint) is
  'Part of following: {"steps": {"current", "done", "number"}} of a message that has steps: the step that runs, or the sleep or wait that it is parked in, the names of the last 100 finished steps, and how many are finished. Never results. {} if it has none.';

create function messenger.shown_steps(p_id bigint) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object(
        'handler', s.handler, 'name', s.name, 'key', s.key, 'nth', s.nth, 'kind', s.kind, 'status', s.status,
        'until', s.until, 'created_at', s.created_at, 'error', s.error,
        'waits_for', case when s.kind = 'wait' and s.status = 'pending' then s.details -> 'keys' end,
        'result_bytes', coalesce(messenger.stored_bytes(s.result), 0)
      ) || case
        when s.result is not null and messenger.stored_bytes(s.result) <= 2048
        then jsonb_build_object('result', messenger.with_exact_numbers(s.result)) else '{}'
      end
      order by s.position
    ), '[]')
    || coalesce(messenger.running_step(p_id) - 'began_at' || jsonb_build_object(
      'status', 'running', 'until', null, 'created_at', messenger.running_step(p_id) -> 'began_at', 'error', null,
      'waits_for', null, 'result_bytes', 0
    ), '[]')
    from (
      select * from public.messenger_steps t where t.message_id = p_id order by t.position limit 1000
    ) as s
  );
end
$$;
comment on function messenger.shown_steps(bigint) is
  'Durable steps, sleeps and waits of a message or dead letter for operators, in the order in which they were stored, at most 1,000, and then the one that runs. Results of more than 2 kB are left out.';
