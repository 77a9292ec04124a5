-- Within the limits of each queue.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, concurrency, rate_limit) values
  ('a', null, null), ('b', null, null), ('narrow', 3, null), ('slow', null, 4), ('slower', null, 4);
-- How many messages of each queue a worker with this number of slots gets.
create function pg_temp.given(queues text[], weights integer[], most integer, slots integer)
returns text language plpgsql as $$
declare
  answer text;
begin
  update messenger_queues q set weight = w.weight
  from unnest(queues, weights) as w (name, weight) where q.name = w.name;
  select string_agg(n::text, ',' order by n desc) into answer
  from (
    select count(m.id) as n
    from messenger_messages m
    where m.ctid = any ((
      select s.locked from messenger.lock_shares(queues, most, slots, 250, '{}') as s
    )::tid[])
    group by m.queue
  ) as counted;
  return answer;
end
$$;
select test.dispatch_many(20, q) from unnest(array['a', 'b', 'narrow', 'slow', 'slower']) as q;

select is(pg_temp.given(array['a', 'b'], array[3, 1], 8, null), '6,2', 'by weight');
select is(
  pg_temp.given(array['a', 'unheard.of'], array[1, 1000], 8, null), '8', 'what one leaves to another'
);
select is(
  pg_temp.given(array['a', 'narrow'], array[1, 1], 10, 0), '7,3', 'what limits leave as well'
);
select is(pg_temp.given(array['slow', 'slower'], array[1, 1], 8, null), '4,4', 'rates without slots');
delete from messenger.start_grants where true;
select is(
  pg_temp.given(array['slow', 'slower'], array[1, 1], 8, 1), '1',
  'queues with rates together get no more than can start at once'
);
select is(
  (select sum(messages) from messenger.start_grants), 1::bigint, 'and no more is counted'
);
delete from messenger.start_grants where true;
select is(
  pg_temp.given(array['slow', 'slower'], array[1, 1], 4, 3), '2,1', 'nor where a share goes round again'
);

select * from finish();
rollback;
