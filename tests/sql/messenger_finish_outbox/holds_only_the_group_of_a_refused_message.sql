-- A refused message of a group holds back what is behind it in its group, until it is tried again; other groups of its
-- shard continue.
begin;
select plan(9);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
-- Two groups of one shard.
create temp table keys as
  select 'a' as key
  union all
  (select k from generate_series(1, 50) as n, lateral (select 'b' || n as k) as o
    where messenger.outbox_shard(1, 'default', k) = messenger.outbox_shard(1, 'default', 'a') limit 1);
select messenger_dispatch('ImportRow', to_jsonb(left(k.key, 1) || n), group_key => k.key)
from generate_series(1, 3) as n cross join keys as k order by n, k.key;
create temp table claimed (c jsonb);
create function pg_temp.claim() returns setof text language sql as $$
  delete from pg_temp.claimed;
  insert into pg_temp.claimed select messenger_claim_outbox('events', test.token(1));
  select m ->> 'payload' from pg_temp.claimed, jsonb_array_elements(c -> 'messages') with ordinality as o (m, place) order by place
$$;
-- Refuses one message, and confirms those of the other group.
create function pg_temp.finish(p_refused text) returns void language sql as $$
  select messenger_finish_outbox('events', (c ->> 'shard')::int, test.token(1),
    array(select (m ->> 'position')::bigint from jsonb_array_elements(c -> 'messages') as m where m ->> 'payload' like 'b%'),
    coalesce((select jsonb_agg(jsonb_build_object('position', m -> 'position', 'error', 'not allowed'))
      from jsonb_array_elements(c -> 'messages') as m where m ->> 'payload' = p_refused), '[]'))
  from pg_temp.claimed
$$;

select set_eq('select pg_temp.claim()', array['a1', 'a2', 'a3', 'b1', 'b2', 'b3'], 'all of the shard is due');
select pg_temp.finish('a1');
select is((select max(failures) from messenger.relays), 0, 'the engine does not count as away');
select ok(messenger.outbox_due() is not null, 'something waits');
select is_empty('select pg_temp.claim()', 'what is behind the refused message waits with it');
select pg_temp.finish(null);
select ok(messenger.outbox_due() > messenger.clock(), 'and nothing is due before its next try');
select messenger_dispatch('ImportRow', to_jsonb(p), group_key => k.key)
from (values ('a', 'a4'), ('b', 'b4')) as d (key, p) join keys as k on left(k.key, 1) = d.key;
select results_eq('select pg_temp.claim()', array['b4'], 'a later message of the other group goes at once, one of its own group waits');
select pg_temp.finish(null);

update messenger.outbox set available_at = least(available_at, messenger.clock()) where sent_at is null;
select results_eq('select pg_temp.claim()', array['a1', 'a2', 'a3', 'a4'], 'all come again in their order');
select pg_temp.finish('a1');
select is((select refusals from messenger.outbox where payload = '"a1"'), 2, 'a second refusal is counted');
select is_empty('select pg_temp.claim()', 'and holds back its group again');
select * from finish();
rollback;
