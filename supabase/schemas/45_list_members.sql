-- Members of batches as operators see them: a page reads ten chunks of a batch at most, 10,000 members.

create function public.messenger_list_members(
  id bigint, status text default null, after_chunk integer default 1, after_nth integer default 0,
  max_members integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with chunks as materialized (
    select c.chunk, c.ids from messenger.batch_chunks c
    where c.batch_id = messenger_list_members.id and c.chunk >= after_chunk
    order by c.chunk limit 11
  ),
  members as (
    select c.chunk, m.nth::integer as nth, m.id
    from (select k.* from chunks k order by k.chunk limit 10) as c
    cross join lateral unnest(c.ids) with ordinality as m (id, nth)
    where c.chunk > after_chunk or m.nth > after_nth
  ),
  found as materialized (
    select m.chunk, m.nth, m.id, f.type, f.status
    from members m
    left join lateral (
      select l.type, l.status from messenger.followable_messages l
      where l.id = m.id and (l.place < 4 or messenger.is_outside(l.id))
      order by l.place, l.available_at desc limit 1
    ) as f on true
    where messenger_list_members.status is null or f.status = messenger_list_members.status
    order by m.chunk, m.nth limit messenger.page_size(max_members, 'max_members')
  )
  select jsonb_build_object(
    'members', coalesce(
      jsonb_agg(jsonb_build_object('id', f.id::text, 'type', f.type, 'status', f.status) order by f.chunk, f.nth), '[]'
    ),
    'next', case
      when count(*) = max_members then (
        select jsonb_build_array(l.chunk, l.nth) from found l order by l.chunk desc, l.nth desc limit 1
      )
      else (select jsonb_build_array(c.chunk, 0) from chunks c order by c.chunk offset 10 limit 1)
    end
  )
  from found f
$$;
comment on function public.messenger_list_members(bigint, text, integer, integer, integer) is
  'Members of a batch in the order in which they were written: all, or those of one status. Returns {"members": [{"id", "type", "status"}], "next"}. A member that is handled and not kept, or removed, has null as its type and status. next is [after_chunk, after_nth] of the next page; a page reads at most ten chunks, so that it may have few members and a next.';
