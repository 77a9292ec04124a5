-- An operator gives running messages back in SQL: they start at once, and their worker's outcomes change nothing.
begin;
select plan(7);

create function pg_temp.ticks_after(change text) returns bigint
language plpgsql
as $$
declare
  number bigint;
begin
  delete from public.messenger_ticks where true;
  perform set_config('symphony_messenger.woken', '', true), set_config('symphony_messenger.asked', '', true);
  execute change;
  select count(*) into number from public.messenger_ticks;
  return number;
end
$$;
create function pg_temp.give_back(type text) returns text language sql as $$
  select format(
    'update public.messenger_messages set status = ''pending'', lease_token = null, leased_until = null,
      heartbeated = false where type = %L', type
  )
$$;
select test.dispatch('A', 'A', 'B');
insert into messenger_messages (type, queue, group_key) values ('G', 'other', 'g'), ('G2', 'other', 'g');
insert into messenger_messages (type, queue) values ('P', 'paused');
select test.claim(test.token(1), 10);
update messenger_queues set paused = true where name = 'paused';

select throws_ok(
  $$update messenger_messages set status = 'pending' where type = 'A'$$, '23514',
  'new row for relation "messenger_messages" violates check constraint '
    || '"status: pending goes without lease_token and leased_until"',
  'one that keeps its lease is refused with the columns'
);
select is(pg_temp.ticks_after(pg_temp.give_back('A')), 1::bigint, 'a tick is asked for, once for all rows');
select is(pg_temp.ticks_after(pg_temp.give_back('G')), 1::bigint, 'also for a message of a group');
select is(pg_temp.ticks_after(pg_temp.give_back('P')), 0::bigint, 'a paused queue wakes none');
select is(
  pg_temp.ticks_after(pg_temp.give_back('B') || ' and false'), 0::bigint, 'nor does a change of no row'
);
select is(
  jsonb_array_length(messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', (select jsonb_agg(id::text) from messenger_messages where type = 'A')
  ))) -> 'stale'),
  2, 'the outcomes of its worker are stale'
);
select is(
  (select array_agg(m ->> 'type' order by m ->> 'id')
    from jsonb_array_elements(test.claim(test.token(2), 10) -> 'messages') as m),
  array['A', 'A', 'G'], 'the next claim has them'
);
select * from finish();
rollback;
