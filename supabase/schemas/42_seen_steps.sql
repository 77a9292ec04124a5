-- Durable steps as others see them: users who follow a message get names, operators all but large results.

-- An empty object for a message without steps: nothing of it is in the state of such a message.
create function messenger.followed_steps(p_id bigint) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (select from public.messenger_steps s where s.message_id = p_id) then
    return '{}'::jsonb;
  end if;
  return jsonb_build_object('steps', jsonb_build_object(
    'current', (
      select jsonb_build_object('name', s.name, 'kind', s.kind, 'until', s.until)
      from public.messenger_steps s
      where s.message_id = p_id and s.status = 'pending'
      order by s.position
      limit 1
    ),
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
  'Part of following: {"steps": {"current", "done", "number"}} of a message that has steps: the sleep or wait that it is parked in, the names of the last 100 finished steps, and how many are finished. Never results. {} if it has none.';

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
    from (
      select * from public.messenger_steps t where t.message_id = p_id order by t.position limit 1000
    ) as s
  );
end
$$;
comment on function messenger.shown_steps(bigint) is
  'Durable steps, sleeps and waits of a message or dead letter for operators, in the order in which they were stored, at most 1,000. Results of more than 2 kB are left out.';
