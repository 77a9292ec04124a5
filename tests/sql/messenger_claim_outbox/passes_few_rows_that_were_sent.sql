-- Rows that were sent stay in the index as long as an older transaction may see them: a relay passes them once in a while.
begin;
select plan(5);
select messenger_declare_routing('{"events": true}', '{"T": "events"}');
select messenger_dispatch('T');
insert into messenger.outbox (id, transport, shard, type, payload, available_at, created_at, bytes)
select -n, 'events', n & 3, 'T', '{}', now() - interval '1 hour', now(), 2 from generate_series(1, 60000) as n;
update messenger.outbox set sent_at = now() where true;
create function pg_temp.pages_of(call text) returns integer language plpgsql as $$
declare
  plan jsonb;
begin
  execute 'explain (analyze, buffers, format json) ' || call into plan;
  return (plan #>> '{0,Plan,Shared Hit Blocks}')::integer + (plan #>> '{0,Plan,Shared Read Blocks}')::integer;
end
$$;
create function pg_temp.look() returns integer language sql as $$
  select pg_temp.pages_of('select messenger_claim_outbox(''events'', gen_random_uuid())')
$$;

create temporary table first_claim as select pg_temp.look() as pages;
select cmp_ok((select pages from first_claim), '>', 1000, 'the first claim passes them');
-- This transaction is old by now.
update messenger.relays set front_until = now() + interval '1 hour', front = least(front, now()) where true;
select cmp_ok(pg_temp.look(), '<', (select pages from first_claim) / 2, 'the next one does not');
select messenger_dispatch('T', '1');
select cmp_ok(pg_temp.look(), '<', (select pages from first_claim) / 2, 'nor does a claim of a message that comes then');
select is((select sum(cardinality(batch)) from messenger.relays), 1::bigint, 'which gets it');
update messenger.relays set token = null, leased_until = null, batch = '{}' where true;
insert into messenger.outbox (id, transport, shard, type, payload, available_at, created_at, bytes)
values (-70000, 'events', 0, 'T', '"late"', now() - interval '1 hour', now(), 2);
update messenger.relays set front_until = now() where true;
select is(
  (select min(c ->> 'payload') from generate_series(1, 4),
    jsonb_array_elements(messenger_claim_outbox('events', gen_random_uuid()) -> 'messages') as c where c -> 'payload' = '"late"'),
  'late', 'a message whose transaction commits late is found by a read of all rows'
);
select * from finish();
rollback;
