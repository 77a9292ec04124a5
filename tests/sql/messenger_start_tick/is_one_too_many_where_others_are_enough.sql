-- Several may have been asked for at once; what they were asked for is seen to by those that run.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
delete from messenger_ticks;
select test.tick('awake');
select is(
  messenger_start_tick(test.tick('asked'), awake => true) -> 'proceed', 'false', 'one is enough'
);
update messenger_queues set max_workers = 2 where name = 'default';
select is(
  messenger_start_tick(test.tick('asked'), awake => true) - array['id', 'version'], '{"proceed":true,"fleet":2}',
  'unless the queue may have two'
);
select is(
  messenger_start_tick(test.tick('asked'), awake => true) -> 'proceed', 'false', 'a third is too many'
);

select * from finish();
rollback;
