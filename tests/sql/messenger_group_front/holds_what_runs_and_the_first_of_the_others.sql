-- So many as the queue's group_concurrency, whether they are blocked or not.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.front() returns text[] language sql as $$
  select array(
    select m.type from messenger_group_front('default', 'g') f join messenger_messages m using (id)
    order by m.id
  )
$$;

select is(pg_temp.front(), '{}', 'of a group that does not exist');
select test.dispatch_to_group('g', 'A', 'B', 'C', 'D');
select test.dispatch_to_group('h', 'other');
update messenger_messages set blocked = true where type in ('A', 'C', 'D');
select is(pg_temp.front(), array['A'], 'the first');
update messenger_queues set group_concurrency = 2;
select is(pg_temp.front(), array['A', 'B'], 'the first two');

update messenger_messages set status = 'processing', lease_token = test.token(1),
  leased_until = messenger_now(), tracked = true where type = 'C';
select is(pg_temp.front(), array['A', 'C'], 'one that runs, wherever it stands, and the first beside it');
update messenger_queues set group_concurrency = 1;
select is(pg_temp.front(), array['C'], 'no other where there is no room beside it');

delete from messenger_queues where name = 'default';
select is(pg_temp.front(), array['C'], 'strict order where the queue has no row');

select * from finish();
rollback;
