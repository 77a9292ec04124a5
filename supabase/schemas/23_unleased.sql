-- Running messages that no lease names. A sweep finds messages by their leases, so it never finds these: a restore of
-- the schema public without the schema messenger leaves them behind, or a delete in messenger.leases. The minute's
-- tick looks for them and gives them back.
--
-- Nor does a sweep ever find a message whose lease ends in the far future: an edit wrote leased_until, or the
-- database's clock was set back. Such a lease is shortened to a minute. If a worker still runs the message, its
-- heartbeats extend the lease; otherwise the next sweep finds the message.

create function messenger.shorten_endless_leases(p_ids bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  until constant timestamptz := public.messenger_now() + interval '1 minute';
begin
  with shortened as (
    update public.messenger_messages m set leased_until = until
    where m.id = any (array(
      select s.id from public.messenger_messages s
      where s.id = any (p_ids) and s.leased_until > public.messenger_now() + messenger.longest_lease()
      order by s.id
      for update skip locked
    ))
    returning m.lease_token
  )
  update messenger.leases l set leased_until = until
  where l.token = any (array(
    select k.token from messenger.leases k
    where k.leased_until > until and k.token in (select s.lease_token from shortened s)
    for update skip locked
  ));
end
$$;
comment on function messenger.shorten_endless_leases(bigint[]) is
  'Part of messenger.settle_unleased(): of these messages, lets the leases that end later than any lease can end in a minute.';

-- One message that refuses it keeps back no other. The loop ends in a second: the next minutes find the rest.
create function messenger.settle_apart(p_settlements jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  ends_at constant timestamptz := clock_timestamp() + interval '1 second';
  one jsonb;
begin
  begin
    perform public.messenger_settle(p_settlements);
    return;
  exception when others then null;
  end;
  for one in
    -- The others of a token are left out once, and not copied for each message.
    with of_tokens as materialized (
      select s.value - 'retries' as rest, s.value -> 'retries' as retries from jsonb_array_elements(p_settlements) as s
    )
    select t.rest || jsonb_build_object('retries', jsonb_build_array(r.value))
    from of_tokens t cross join jsonb_array_elements(t.retries) as r
    order by random()
  loop
    exit when clock_timestamp() > ends_at;
    begin
      perform public.messenger_settle(jsonb_build_array(one));
    exception when others then
      raise warning 'message % was not given back: %', one #>> '{retries,0,id}', sqlerrm;
    end;
  end loop;
end
$$;
comment on function messenger.settle_apart(jsonb) is
  'Part of messenger.settle_unleased(): settles the messages, one by one if that is refused together.';

-- No index has the running messages, because a claim would have to write to it. So each minute reads a part of the
-- table, from its first page to its last and again. A part has 64 MiB: 150,000 small messages, which take 15 ms. The
-- minute says which part it is, so that nothing has to be stored. They go through a settle call, so that groups,
-- cancelled messages and the order of locks are seen to.
create function messenger.settle_unleased(p_max_pages integer default 8192) returns integer
language plpgsql
set search_path = ''
-- A user's transaction may hold a row locked, and the tick must not wait for it.
set lock_timeout = '1s'
-- The scan takes less time than to compile it.
set jit = off
as $$
declare
  clock constant timestamptz := public.messenger_now();
  pages constant bigint := pg_relation_size('public.messenger_messages') / current_setting('block_size')::integer;
  parts constant bigint := greatest((pages + p_max_pages - 1) / p_max_pages, 1);
  first_page constant bigint := floor(extract(epoch from clock) / 60)::bigint % parts * p_max_pages;
  from_place constant tid := format('(%s,0)', first_page)::tid;
  to_place constant tid := format('(%s,0)', first_page + p_max_pages)::tid;
  settlements jsonb;
  number integer;
  endless bigint[];
begin
  with found as materialized (
    select m.id, m.lease_token, m.retry_count, m.attempts, m.group_key, m.leased_until > clock as is_endless
    from public.messenger_messages m
    where m.ctid >= from_place and m.ctid < to_place and m.status = 'processing'
      and (m.leased_until <= clock or m.leased_until > clock + messenger.longest_lease())
      and (m.leased_until > clock or not exists (
        select from messenger.leases l where l.token = m.lease_token and m.id = any (l.ids) offset 0
      ))
    limit 5000
  )
  select jsonb_agg(g.settlement), sum(g.number),
    (select array_agg(f.id) from found f where f.is_endless)
  into settlements, number, endless
  from (
    select jsonb_build_object('token', u.lease_token, 'retries', jsonb_agg(jsonb_build_object(
        'id', u.id, 'delay_ms', 0, 'retry_count', u.retry_count, 'interrupted', true,
        'errors', jsonb_build_array(jsonb_build_object(
          'message', 'no lease names the message, which was running; it runs again', 'class', 'LeaseLostError',
          'attempt', u.attempts, 'at', clock, 'durationMs', 0
        ))
      )))
      || case when bool_or(u.group_key is not null) then '{"grouped": true}'::jsonb else '{}' end as settlement,
      count(*) as number
    from found u where not u.is_endless
    group by u.lease_token
  ) as g;
  if endless is not null then
    perform messenger.shorten_endless_leases(endless);
  end if;
  if settlements is null then
    return 0;
  end if;
  perform messenger.settle_apart(settlements);
  return number;
exception when others then
  raise warning 'messages that no lease names were not given back: %', sqlerrm;
  return 0;
end
$$;
comment on function messenger.settle_unleased(integer) is
  'Gives back running messages whose lease has ended and that no row of messenger.leases names, as interrupted; those that are cancelled become dead letters. A lease that ends later than any can is shortened to a minute. Reads up to p_max_pages pages of messenger_messages, the next ones each minute. Returns how many it found.';

-- A message is also left behind if it is blocked and nothing precedes it: an edit blocked it, or the message before it
-- was deleted without triggers, as a restore and a replication do. The minute's tick reads the same part of the table
-- for such messages, and checks a thousand of its groups, other ones each minute.
create function messenger.reopen_stray_groups(p_max_pages integer default 8192) returns void
language plpgsql
set search_path = ''
set lock_timeout = '1s'
set jit = off
as $$
declare
  minute constant bigint := floor(extract(epoch from public.messenger_now()) / 60);
  pages constant bigint := pg_relation_size('public.messenger_messages') / current_setting('block_size')::integer;
  parts constant bigint := greatest((pages + p_max_pages - 1) / p_max_pages, 1);
  from_place constant tid := format('(%s,0)', minute % parts * p_max_pages)::tid;
  to_place constant tid := format('(%s,0)', (minute % parts + 1) * p_max_pages)::tid;
begin
  if not exists (
    select from public.messenger_messages m where m.ctid >= from_place and m.ctid < to_place and m.blocked
  ) then
    return;
  end if;
  update public.messenger_messages m set blocked = false
  where m.ctid = any (array(
    select b.ctid from public.messenger_messages b
    where b.ctid >= from_place and b.ctid < to_place and b.blocked and b.group_key is null
    limit 1000 for update skip locked
  ));
  insert into messenger.groups_to_reopen (queue, group_key)
  select g.queue, g.group_key
  from (
    select b.queue, b.group_key from public.messenger_messages b
    where b.ctid >= from_place and b.ctid < to_place and b.blocked and b.group_key is not null
    group by b.queue, b.group_key
    order by pg_catalog.hashtextextended(b.group_key, minute)
    limit 1000
  ) as g
  where not exists (
    select from public.messenger_messages r
    where r.queue = g.queue and r.group_key = g.group_key and r.heartbeated offset 0
  ) and not exists (
    select from public.messenger_messages f
    where f.queue = g.queue and f.group_key = g.group_key and not f.heartbeated and not f.blocked offset 0
  );
exception when others then
  raise warning 'groups that nothing precedes were not looked for: %', sqlerrm;
end
$$;
comment on function messenger.reopen_stray_groups(integer) is
  'Notes groups of which all messages are blocked, so that the next sweep unblocks their first ones, and unblocks messages without a group. Reads up to p_max_pages pages of messenger_messages, the next ones each minute.';
