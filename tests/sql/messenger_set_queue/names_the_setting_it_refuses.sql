begin;
select plan(9);

select throws_ok(
  $$select messenger_set_queue('unknown', '{"paused":true}')$$, 'PT404',
  'name: there is no queue unknown', 'a queue that is not there'
);
select throws_ok(
  $$select messenger_set_queue('unknown/acme', '{"paused":true}')$$, 'PT404',
  'name: there is no queue unknown', 'a lane whose queue is not there'
);
select throws_ok(
  $$select messenger_set_queue('default', '[]')$$, 'PT400', 'settings: has to be an object',
  'settings that are no object'
);
select throws_ok(
  $$select messenger_set_queue('default', '{"name":"x"}')$$, 'PT400',
  'settings: name is none of paused, max_workers, concurrency, group_concurrency, rate_limit, rate_period_ms, weight, lease_ms, runs_on, lane_concurrency, lane_rate_limit, lane_rate_period_ms',
  'what is no setting'
);
select throws_ok(
  $$select messenger_set_queue('default', '{"max_workers":0}')$$, 'PT400',
  'max_workers: has a value that is not allowed (was 0); it has to fit max_workers >= 1 AND max_workers <= 100', 'out of its range'
);
select throws_ok(
  $$select messenger_set_queue('default', '{"paused":null}')$$, 'PT400',
  'paused: has to have a value', 'null where there has to be a value'
);
select throws_like(
  $$select messenger_set_queue('default', '{"weight":"heavy"}')$$, 'weight: %', 'no number'
);
select throws_like(
  $$select messenger_set_queue('default', '{"weight":99999}')$$, 'weight: %', 'too large a number'
);
select is(
  (select to_jsonb(q) - 'created_at' from messenger_queues q where q.name = 'default'),
  '{"name":"default","paused":false,"max_workers":1,"concurrency":null,"group_concurrency":1,
    "rate_limit":null,"rate_period_ms":1000,"weight":1,"lease_ms":null,"runs_on":"tick",
    "lane_concurrency":null,"lane_rate_limit":null,"lane_rate_period_ms":1000}', 'nothing was changed'
);

select * from finish();
rollback;
