-- Rows that were sent stay in the index as long as an older transaction may see them: a dispatch does not read them.
begin;
select plan(1);
select messenger_declare_routing('{"events": true}', '{"T": "events"}');
select messenger_dispatch('T');
insert into messenger.outbox (id, transport, shard, type, payload, available_at, created_at, bytes)
select -n, 'events', n & 3, 'T', '{}', now() - interval '1 hour', now(), 2 from generate_series(1, 20000) as n;
update messenger.outbox set sent_at = now() where true;
-- The table has grown without a measurement, which counts.
select messenger.sample_outbox();

create function pg_temp.pages_of(call text) returns integer language plpgsql as $$
declare
  plan jsonb;
begin
  execute 'explain (analyze, buffers, format json) ' || call into plan;
  return (plan #>> '{0,Plan,Shared Hit Blocks}')::integer + (plan #>> '{0,Plan,Shared Read Blocks}')::integer;
end
$$;
select pg_temp.pages_of('select messenger_dispatch(''T'')');
select cmp_ok(pg_temp.pages_of('select messenger_dispatch(''T'')'), '<', 300, 'a dispatch reads few pages');
select * from finish();
rollback;
