-- Events and waiting messages as operators see them: lists a page at a time, without values.

create function messenger.waiting_for(p_event text) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  number constant integer := (
    select count(*) from (select from messenger.waits w where w.event = p_event limit 101) as counted
  );
begin
  return jsonb_build_object('count', least(number, 100), 'capped', number > 100);
end
$$;
comment on function messenger.waiting_for(text) is
  'Number of messages that wait for an event of this key: {"count", "capped"}, counted up to 100.';

-- The first branch reads the index of the keys, the second one the primary key.
create function public.messenger_list_events(
  event text default null, before_id bigint default null, max_events integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as materialized (
    select * from (
      select e.id, e.event, e.bytes, e.created_at from public.messenger_events e
      where e.event = messenger_list_events.event and e.id < coalesce(before_id, 9223372036854775807)
      order by e.event desc, e.id desc limit messenger.page_size(max_events, 'max_events')
    ) as of_key
    union all
    select * from (
      select e.id, e.event, e.bytes, e.created_at from public.messenger_events e
      where messenger_list_events.event is null and e.id < coalesce(before_id, 9223372036854775807)
      order by e.id desc limit messenger.page_size(max_events, 'max_events')
    ) as latest
  )
  select jsonb_build_object(
    'events', coalesce(jsonb_agg(
      to_jsonb(f) || jsonb_build_object('id', f.id::text, 'waiting', messenger.waiting_for(f.event))
      order by f.id desc
    ), '[]'),
    'next', case when count(*) = max_events then min(f.id)::text end
  )
  from found f
$$;
comment on function public.messenger_list_events(text, bigint, integer) is
  'Events without their values, the latest first: all, or those of one key. Returns {"events", "next"}: next is the before_id of the next page, and each event has in "waiting" the number of messages that wait for its key now.';

create function public.messenger_show_event(id bigint) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', e.id::text, 'event', e.event, 'bytes', e.bytes, 'created_at', e.created_at,
    'value', messenger.with_exact_numbers(e.value), 'waiting', messenger.waiting_for(e.event)
  )
  from public.messenger_events e where e.id = messenger_show_event.id
$$;
comment on function public.messenger_show_event(bigint) is
  'An event with its value; null if there is none of this id. Numbers that a double would change are text.';

create function public.messenger_list_waiting(
  event text default null, before_id bigint default null, max_messages integer default 50
) returns jsonb
language sql stable
set search_path = ''
as $$
  with found as materialized (
    select * from (
      select w.message_id as id from messenger.waits w
      where w.event = messenger_list_waiting.event and w.message_id < coalesce(before_id, 9223372036854775807)
      order by w.event desc, w.message_id desc limit messenger.page_size(max_messages, 'max_messages')
    ) as of_key
    union all
    select * from (
      select distinct w.message_id as id from messenger.waits w
      where messenger_list_waiting.event is null and w.message_id < coalesce(before_id, 9223372036854775807)
      order by w.message_id desc limit messenger.page_size(max_messages, 'max_messages')
    ) as latest
  )
  select jsonb_build_object(
    'messages', coalesce(jsonb_agg(jsonb_build_object(
      'id', f.id::text, 'type', m.type, 'queue', m.queue, 'created_at', m.created_at,
      'until', nullif(m.available_at, 'infinity'),
      'events', array(select w.event from messenger.waits w where w.message_id = f.id order by w.event limit 100)
    ) order by f.id desc) filter (where m.id is not null), '[]'),
    'next', case when count(*) = max_messages then min(f.id)::text end
  )
  from found f
  left join public.messenger_messages m on m.id = f.id and m.status = 'pending'
$$;
comment on function public.messenger_list_waiting(text, bigint, integer) is
  'Messages that wait for events, the latest first: all, or those that wait for one key. Returns {"messages", "next"}: next is the before_id of the next page, and each message has in "events" the keys that it waits for, and in "until" the time at which it stops waiting, null for never.';
