-- In one call, so that no claim has to find out; across calls the next claim does.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
-- Enqueues messages of these types to group g, with more fields where they are given.
create function pg_temp.enqueue(variadic messages jsonb[]) returns void language sql as $$
  select messenger_enqueue((
    select jsonb_agg('{"group_key":"g"}' || m order by position)
    from unnest(messages) with ordinality as m (m, position)
  ))
$$;

select pg_temp.enqueue('{"type":"A"}', '{"type":"B"}', '{"type":"C","group_key":"h"}',
  '{"type":"D","queue":"mail"}', '{"type":"E","group_key":null}', '{"type":"F","group_key":null}');
select is(test.blocked(), array['B'], 'behind the first of its group in its queue');
delete from messenger_messages where true;

insert into messenger_queues (name, group_concurrency) values ('wide', 2);
select pg_temp.enqueue('{"type":"A","queue":"wide"}', '{"type":"B","queue":"wide"}',
  '{"type":"C","queue":"wide"}');
select is(test.blocked(), array['C'], 'behind as many as may run at once');
delete from messenger_messages where true;

select pg_temp.enqueue('{"type":"A","idempotency_key":"k"}');
delete from messenger_messages where true;
select pg_temp.enqueue('{"type":"A","idempotency_key":"k"}', '{"type":"B"}',
  '{"type":"C","idempotency_key":"l"}', '{"type":"C","idempotency_key":"l"}', '{"type":"D"}');
select is(test.blocked(), array['C', 'D'], 'what was dispatched before is not counted');
select is(test.claimed(1), array['B'], 'the first that was written is the first');
delete from messenger_messages where true;

select pg_temp.enqueue('{"type":"A","dedupe_key":"k"}', '{"type":"A","dedupe_key":"k"}',
  '{"type":"B"}', '{"type":"C"}');
select is(test.blocked(), array['C'], 'one that a key may hold back blocks no other before it is claimed');
select is(test.claimed(2), array['A'], 'but has its turn all the same');

select * from finish();
rollback;
