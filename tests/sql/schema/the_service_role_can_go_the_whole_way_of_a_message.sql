-- A privilege that a function needs inside shows only when that role runs it.
begin;
select plan(7);

set local role service_role;
create temp table dispatch as select messenger_dispatch('A', queue => 'new', idempotency_key => 'k');
create temp table claim as select test.claim(test.token(1)) as answer;
create temp table heartbeat as select messenger_heartbeat(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'ids', test.ids('A')
))) as answer;
create temp table settle as select test.settle_and_claim(
  jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('A')::text, 'reason', 'invalid'))
  )),
  test.token(2)
) as answer;
create temp table redrive as select messenger_redrive(type => 'A', to_queue => 'newer') as answer;
update messenger_messages set queue = 'newest' where type = 'A';
create temp table remove as select messenger_remove_failed(type => 'B') as answer;
create temp table prune as select messenger_prune() as answer;
reset role;

select is((select test.types(answer -> 'messages') from claim), array['A'], 'dispatch and claim');
select is((select answer -> 'lost' from heartbeat), '[]', 'heartbeat');
select is((select answer -> 'stale' from settle), '[]', 'settle');
select is((select answer -> 'done' from redrive), '1', 'redrive');
select is((select answer -> 'done' from remove), '0', 'remove');
select is((select answer -> 'failed' from prune), '0', 'prune');
select is(
  array(select name from messenger_queues where name like 'new%' order by name),
  array['new', 'newer', 'newest'], 'each queue on the way is known'
);

select * from finish();
rollback;
