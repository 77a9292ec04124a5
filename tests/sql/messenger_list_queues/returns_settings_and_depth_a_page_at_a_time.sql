begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch_many(4, 'b');
select test.claim(test.token(1), 1);
select test.dispatch_many(1, 'c');
insert into messenger_messages (type, queue, quarantined, available_at)
values ('A', 'c', true, '2026-01-01 11:00Z');
update messenger_queues set paused = true where name = 'b';

create temp table answer as select messenger_list_queues(max_queues => 2) as page;
select is((select page ->> 'next' from answer), 'c', 'the page is full: there may be more');
select is(
  (select page #> '{queues,0}' from answer) - array['created_at', 'oldest_ready_at'],
  '{"name":"b","paused":true,"max_workers":1,"concurrency":null,"group_concurrency":1,
    "rate_limit":null,"rate_period_ms":1000,"weight":1,"lease_ms":null,"runs_on":"tick",
    "lane_concurrency":null,"lane_rate_limit":null,"lane_rate_period_ms":1000,
    "due":{"count":3,"capped":false},"delayed":{"count":0,"capped":false},
    "blocked":{"count":0,"capped":false},"quarantined":{"count":0,"capped":false},
    "processing":{"count":1,"capped":false}}',
  'settings and depth'
);
select is((select page #> '{queues,1,quarantined,count}' from answer), '1', 'who runs alone');
select is(
  messenger_list_queues(after_name => 'c') #>> '{queues,0,name}', 'default', 'the next page'
);
select is(messenger_list_queues(name => 'unknown') -> 'queues', '[]', 'a queue that is not there');

select * from finish();
rollback;
