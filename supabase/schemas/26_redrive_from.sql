-- A redrive resumes behind the last good step: failures are forgotten, and so is what comes from a step on that the
-- operator names.

-- A handler that has succeeded runs again if a step of its own is to be made again: no other run would make it. The
-- stamp may come from a user's SQL, so that it may be no list.
create function messenger.unmark_handlers(p_ids bigint[], p_from text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_from is null then
    return;
  end if;
  update public.messenger_messages m
  set stamps = jsonb_set(m.stamps, '{handledBy}', (m.stamps -> 'handledBy') - u.handlers)
  from (
    select s.message_id, array_agg(distinct s.handler) as handlers
    from public.messenger_steps s
    where s.message_id = any (p_ids) and (p_from = 'start' or s.position >= (
      select min(f.position) from public.messenger_steps f
      where f.message_id = s.message_id and f.name = p_from
    ))
    group by s.message_id
  ) as u
  where m.id = u.message_id and jsonb_typeof(m.stamps -> 'handledBy') = 'array'
    and m.stamps -> 'handledBy' ?| u.handlers;
end
$$;
comment on function messenger.unmark_handlers(bigint[], text) is
  'Part of a redrive from a step: lets the handlers of messages run again that have steps from that one on, before these are forgotten.';

create function messenger.forget_from(p_ids bigint[], p_from text) returns void
language plpgsql
set search_path = ''
as $$
declare
  redriven constant bigint[] := array(
    select i from unnest(p_ids) as i
    where not exists (select from public.messenger_failed_messages f where f.id = i)
  );
begin
  perform messenger.unmark_handlers(redriven, p_from);
  -- A batch that a failed step has begun, before those that are made again, is continued: its details have its key.
  update public.messenger_steps s set status = 'pending', error = null
  where s.message_id = any (redriven) and s.status = 'failed' and s.details ? 'batchKey'
    and p_from is distinct from 'start' and not exists (
      select from public.messenger_steps f
      where f.message_id = s.message_id and f.name = p_from and f.position <= s.position
    );
  -- A step that is made again makes a further batch, under a key with the number of this redrive. A redrive that
  -- forgets its failure only keeps the number.
  with placed as (
    select s.message_id, s.position, exists (
      select from public.messenger_steps f
      where f.message_id = s.message_id and f.name = p_from and f.position <= s.position
    ) as is_made_again
    from public.messenger_steps s where s.message_id = any (redriven)
  )
  update public.messenger_steps s
  set status = 'pending', result = null, error = null, until = null, details = jsonb_build_object(
    'again', case when p.is_made_again then m.stamps -> 'redriven' else s.details -> 'again' end
  )
  from placed p join public.messenger_messages m on m.id = p.message_id
  where (s.message_id, s.position) = (p.message_id, p.position) and (
    p.is_made_again and (s.kind = 'all' or s.details ?| '{batchKey,again}') and (
      s.status <> 'pending' or s.details ?| '{batchKey,batch}' or m.stamps -> 'redrivenFrom' = m.stamps -> 'redriven'
    )
    or s.kind = 'all' and s.status = 'failed' and s.details ? 'again'
  );
  -- A step's name means its first one.
  delete from public.messenger_steps s
  where s.message_id = any (redriven)
    and (s.details ? 'again' and s.status = 'pending' and p_from <> 'start') is not true and (
    s.status = 'failed' or p_from = 'start' or s.position >= (
      select min(f.position) from public.messenger_steps f
      where f.message_id = s.message_id and f.name = p_from
    )
  );
  if p_from = 'start' then
    update public.messenger_messages m set stamps = m.stamps - 'durable'
    where m.id = any (redriven) and m.stamps ? 'durable';
  end if;
end
$$;
comment on function messenger.forget_from(bigint[], text) is
  'Part of a redrive: deletes the failed steps of messages, except those whose batch is to be continued, and the steps from the one of a name on, except that those with batches stay pending under the number of the redrive; for "start" all of them, and the mark of the version. Dead letters that the redrive skipped keep theirs.';

create function messenger.check_from(p_ids bigint[], p_has_payload boolean, p_from text) returns void
language plpgsql
set search_path = ''
as $$
declare
  lacking bigint;
begin
  if length(p_from) not between 1 and 255 then
    raise sqlstate 'PT400' using message = 'from: has to be "start" or the name of a step, 1 to 255 characters';
  end if;
  if p_has_payload and p_from is null and exists (
    select from public.messenger_steps s where s.message_id = any (p_ids) and s.status <> 'failed'
  ) then
    raise sqlstate 'PT400' using
      message = 'from: is needed, because the message has steps that were made with the old payload',
      hint = 'Give "start", or the name of the step from which on they are made again.';
  end if;
  if p_from <> 'start' then
    lacking := (
      select f.id from public.messenger_failed_messages f
      where f.id = any (p_ids) and not exists (
        select from public.messenger_steps s where s.message_id = f.id and s.name = p_from
      )
      order by f.id limit 1
    );
    if lacking is not null then
      raise sqlstate 'PT400' using message = format('from: dead letter %s has no step %s', lacking, to_json(p_from));
    end if;
  end if;
end
$$;
comment on function messenger.check_from(bigint[], boolean, text) is
  'Part of messenger_redrive: refuses a "from" that one of these dead letters has no step for, and an edited payload of a message with steps without it.';
