-- The keys of batches that steps dispatch are made with the number of that redrive.
begin;
select plan(3);
create function redriven_from(p_from text) returns text language sql as $$
  insert into messenger_failed_messages (id, type, payload, queue, reason, redriven, stamps, created_at)
  select m.id, m.type, m.payload, m.queue, 'exhausted', coalesce((m.stamps ->> 'redriven')::integer, 0), m.stamps, now()
  from messenger_messages m;
  delete from messenger_messages where true;
  select messenger_redrive(array(select id from messenger_failed_messages), "from" => p_from);
  select stamps ->> 'redrivenFrom' from messenger_messages
$$;
select messenger_dispatch('A');
select is(redriven_from(null), null, 'a redrive that forgets failures only has no such number');
select is(redriven_from('start'), '2', 'one from a step on has its own');
select is(redriven_from(null), '2', 'and a later one keeps it, so that it continues the batch');
select * from finish();
rollback;
