-- As many as the queue's group_concurrency leaves room for, whether they are blocked or not.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.fronts(variadic keys text[]) returns text[] language sql as $$
  select array(
    select m.type
    from messenger.group_fronts(array_fill('default'::text, array[cardinality(keys)]), keys) f
    join messenger_messages m using (id)
    order by m.id
  )
$$;

select is(pg_temp.fronts('g'), '{}', 'of a group that does not exist');
select test.dispatch_to_group('g', 'A', 'B', 'C', 'D');
select test.dispatch_to_group('h', 'E', 'F');
update messenger_messages set blocked = true where type in ('A', 'C', 'D');
select is(pg_temp.fronts('g'), array['A'], 'the first');
select is(pg_temp.fronts('g', 'h'), array['A', 'E'], 'the first of each');
update messenger_queues set group_concurrency = 2;
select is(pg_temp.fronts('g'), array['A', 'B'], 'the first two');

update messenger_messages set status = 'processing', lease_token = test.token(1),
  leased_until = messenger_now(), heartbeated = true where type = 'C';
select is(pg_temp.fronts('g'), array['A'], 'the first beside one that runs, wherever that stands');
update messenger_queues set group_concurrency = 1;
select is(pg_temp.fronts('g'), '{}', 'none where there is no room beside it');

delete from messenger_messages where type = 'C';
alter table messenger_queues disable trigger user;
delete from messenger_queues where name = 'default';
select is(pg_temp.fronts('g', 'h'), array['A', 'E'], 'strict order where the queue has no row');

select * from finish();
rollback;
