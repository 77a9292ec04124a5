-- After claims, repeated ones too, heartbeats, outcomes of every kind, sweeps and cancels, in a series
-- that is the same each time: nothing that runs could be lost to the sweep.
begin;
select plan(5);
select setseed(0.5);
select test.set_clock('2026-01-01 12:00Z');
create temp table lost (step integer, action text, found text);
create temp table tally (name text, number integer);

-- One settle call for some of the messages of a token, an outcome by chance for each.
create function pg_temp.settle(token uuid, share double precision default 0.6) returns void
language plpgsql as $$
declare
  entry jsonb;
begin
  with chosen as materialized (
    select m.id::text as id, m.retry_count, floor(random() * 5)::integer as kind
    from public.messenger_messages m where m.lease_token = settle.token and random() < share
  )
  select jsonb_build_object(
    'token', settle.token, 'grouped', true,
    'handled', coalesce(jsonb_agg(id) filter (where kind = 0), '[]'),
    'released', coalesce(jsonb_agg(id) filter (where kind = 1), '[]'),
    'snoozed', coalesce(
      jsonb_agg(jsonb_build_object('id', id, 'delay_ms', 1000)) filter (where kind = 2), '[]'
    ),
    'retries', coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'delay_ms', 500, 'retry_count', retry_count + 1, 'quarantined', random() < 0.1
    )) filter (where kind = 3), '[]'),
    'dead', coalesce(
      jsonb_agg(jsonb_build_object('id', id, 'reason', 'exhausted')) filter (where kind = 4), '[]'
    )
  ) into entry from chosen;
  perform public.messenger_settle(jsonb_build_array(entry));
end
$$;

create function pg_temp.series(steps integer) returns void language plpgsql as $$
declare
  chance double precision;
  known uuid;
  action text;
begin
  for step in 1..steps loop
    perform test.set_clock('2026-01-01 12:00Z'::timestamptz + step * interval '700 milliseconds');
    chance := random();
    select l.token into known from messenger.leases l order by random() limit 1;
    if step % 4 = 0 then
      perform public.messenger_dispatch(
        'M', queue => (array['default', 'mail', 'slow'])[1 + step / 4 % 3],
        group_key => case when step % 12 = 0 then 'g' end
      ) from generate_series(1, 6);
    end if;
    case
      when chance < 0.3 then
        action := 'claim';
        perform test.claim(test.token(step), 8, lease_ms => (array[1000, 5000, 30000])[1 + step % 3]);
      when chance < 0.35 then
        action := 'claim alone';
        perform test.claim(test.token(step), lease_ms => 5000, run_alone => true);
      when chance < 0.45 then
        action := 'repeated claim';
        perform test.claim(coalesce(
          (
            select l.token from messenger.leases l
            where l.token < test.token(10000) order by random() limit 1
          ),
          test.token(step)
        ), 8, lease_ms => 4000, repeated => true);
      when chance < 0.75 then
        action := 'settle';
        perform pg_temp.settle(known) where known is not null;
      when chance < 0.85 then
        action := 'heartbeat';
        perform public.messenger_heartbeat((
          select jsonb_build_array(jsonb_build_object('token', known, 'ids', jsonb_agg(m.id::text)))
          from public.messenger_messages m where m.lease_token = known having count(*) > 0
        ), 30000)
        where exists (select from public.messenger_messages m where m.lease_token = known);
      when chance < 0.92 then
        action := 'cancel';
        perform public.messenger_cancel(array(
          select m.id from public.messenger_messages m order by random() limit 2
        ));
      else
        action := 'setting';
        update public.messenger_queues q set paused = not q.paused where q.name = 'slow';
        update public.messenger_queues q
        set concurrency = case when q.concurrency is null then 3 end where q.name = 'mail';
    end case;
    insert into tally values (action, 1);
    insert into lost select step, action, case
      when l.token is null then 'no lease'
      when m.id <> all (l.ids) then 'is not named'
      when m.queue <> all (l.queues) then 'its queue is not named'
      when l.leased_until > m.leased_until then 'its lease ends before the row''s'
    end
    from public.messenger_messages m
    left join messenger.leases l on l.token = m.lease_token
    where m.status = 'processing' and (
      m.id = any (l.ids) and m.queue = any (l.queues) and l.leased_until <= m.leased_until
    ) is not true;
    insert into lost select step, action, 'more run than are open'
    from messenger.leases l
    where l.open < (select count(*) from public.messenger_messages m where m.lease_token = l.token);
  end loop;
end
$$;

insert into messenger_queues (name) values ('mail'), ('slow');
select pg_temp.series(400);
select is_empty(
  'select action, found, count(*), min(step) from lost group by 1, 2',
  'each is named by the lease of its token, which is due no later'
);
select is((select count(distinct name) from tally), 7::bigint, 'all of it happened');
select isnt_empty(
  $$select from messenger_messages where status = 'processing'$$, 'some run at the end'
);

update messenger_queues set paused = false, concurrency = null where true;
update messenger_messages set quarantined = false where true;
-- Their workers die, and other workers end the remaining messages.
create function pg_temp.finish_all() returns void language plpgsql as $$
declare
  answer jsonb;
begin
  for round in 1..300 loop
    perform test.set_clock('2026-01-01 13:00Z'::timestamptz + round * interval '2 minutes');
    answer := test.claim(test.token(1000 + round), 1000);
    perform public.messenger_settle(jsonb_build_array(
      jsonb_build_object('token', answer ->> 'token', 'grouped', true,
        'handled', jsonb_path_query_array(answer, '$.messages[*].id')),
      jsonb_build_object('token', answer ->> 'crashed_token', 'grouped', true,
        'handled', jsonb_path_query_array(answer, '$.crashed[*].id'))
    ));
    exit when not exists (select from public.messenger_messages);
  end loop;
  perform test.set_clock('2026-01-03 13:00Z'), test.claim(test.token(2000));
end
$$;
select pg_temp.finish_all();
select is_empty('select id, status from messenger_messages', 'nothing is lost');
select is_empty('select * from messenger.leases', 'and no lease is left');

select * from finish();
rollback;
