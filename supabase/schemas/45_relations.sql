-- Relations: the schedule, batch, parent and children of a message, by ids, so that an operator can go from one to the
-- other.

-- Stamps are the user's to write: one of another form is none.
create function messenger.stamped_id(p_stamps jsonb, p_name text) returns bigint
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when p_stamps #>> array[p_name, 'id'] ~ '^[0-9]{1,18}$' then (p_stamps #>> array[p_name, 'id'])::bigint
  end;
end
$$;
comment on function messenger.stamped_id(jsonb, text) is
  'The id that a stamp names: of the schedule, the batch or the batch whose end it tells; null if there is none.';

create function messenger.related_messages(p_ids bigint[]) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('id', g.id::text, 'type', m.type, 'status', m.status) order by g.nth
    ), '[]')
    from unnest(p_ids) with ordinality as g (id, nth)
    left join lateral (
      select f.type, f.status from messenger.followable_messages f
      where f.id = g.id and (f.place < 4 or messenger.is_outside(f.id))
      order by f.place, f.available_at desc limit 1
    ) as m on true
  );
end
$$;
comment on function messenger.related_messages(bigint[]) is
  'Part of messenger.relations(): {"id", "type", "status"} of messages, in order; type and status are null of one that is gone.';

create function messenger.relations(p_id bigint, p_stamps jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  schedule constant bigint := messenger.stamped_id(p_stamps, 'schedule');
  of_batch constant bigint := messenger.stamped_id(p_stamps, 'ofBatch');
  batch constant bigint := messenger.stamped_id(p_stamps, 'batch');
  known record;
  children constant bigint[] := array(
    select m.id from public.messenger_batches b
    join messenger.batch_chunks c on c.batch_id = b.id
    cross join lateral unnest(c.ids) with ordinality as m (id, nth)
    where b.parent_id = p_id
    order by b.id, c.chunk, m.nth limit 101
  );
begin
  select b.name, b.parent_id into known from public.messenger_batches b where b.id = batch;
  return jsonb_build_object(
    'schedule', case when schedule is not null then jsonb_build_object(
      'id', schedule::text, 'name', p_stamps #>> '{schedule,name}',
      'occurrence', p_stamps #>> '{schedule,occurrence}',
      'exists', exists (select from public.messenger_schedules s where s.id = schedule)
    ) end,
    'batch', case when batch is not null then jsonb_build_object('id', batch::text, 'name', known.name) end,
    'end_of_batch', case when of_batch is not null then jsonb_build_object(
      'id', of_batch::text, 'name', p_stamps #>> '{ofBatch,name}', 'event', p_stamps #>> '{ofBatch,event}'
    ) end,
    'parent', messenger.related_messages(array_remove(array[known.parent_id], null)) -> 0,
    'children', jsonb_build_object(
      'messages', messenger.related_messages(children[1:100]), 'more', cardinality(children) > 100
    )
  );
end
$$;
comment on function messenger.relations(bigint, jsonb) is
  'The schedule, batch and parent of a message with these stamps, and the first 100 messages that it waits for: {"schedule", "batch", "end_of_batch", "parent", "children": {"messages", "more"}}.';
