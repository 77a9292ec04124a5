-- A claim that meets a long group takes its time over it.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key) select 'A', 'g' from generate_series(1, 5000);
create function pg_temp.block() returns void language sql as $$
  select messenger.block_groups(
    'default', '{g}', array[min(id)], (select array_agg(f.id) from messenger.group_fronts('{default}', '{g}') f)
  )
  from messenger_messages where not blocked and id > (select min(id) from messenger_messages)
$$;
select pg_temp.block();
select is(cardinality(test.blocked()), 2000, 'the next two thousand');
select ok(
  (select not m.blocked from messenger_messages m order by id limit 1), 'but not the first'
);
select pg_temp.block() from generate_series(1, 2);
select is(cardinality(test.blocked()), 4999, 'and so on to the end');

update messenger_messages set blocked = true where true;
select messenger.block_groups('default', '{g}', array(select min(id) from messenger_messages), '{}');
select is(cardinality(test.blocked()), 4999, 'the first is opened');

select * from finish();
rollback;
