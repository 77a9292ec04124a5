begin;
select plan(4);
update messenger_queues set concurrency = 5, weight = 3 where name = 'default';

select is(
  messenger_set_queue('default', '{"concurrency":null,"max_workers":4}') -> 'changed', 'true',
  'says that it changed something'
);
select results_eq(
  $$select concurrency, max_workers, weight from messenger_queues where name = 'default'$$,
  $$values (null::integer, 4::smallint, 3::smallint)$$, 'null takes a limit away'
);
select is(
  messenger_set_queue('default', '{"max_workers":4}') -> 'changed', 'false',
  'or that it changed nothing'
);
select is(messenger_set_queue('default', '{}') #>> '{queue,weight}', '3', 'returns the queue');

select * from finish();
rollback;
