begin;
select plan(5);
insert into messenger_queues (name, lane_concurrency, lane_rate_limit, lane_rate_period_ms, group_concurrency, runs_on)
values ('reports', 2, 10, 60000, 3, 'worker');
select messenger_set_queue('reports/acme', '{"weight": 5}');
select messenger_set_queue('reports/gold', '{"concurrency": 20, "rate_limit": 50, "rate_period_ms": 5000}');
insert into messenger_queues (name, weight) values ('gone/acme', 7);

create function pg_temp.shown(lane text) returns jsonb language sql as $$
  select jsonb_build_array(
    q -> 'name', q -> 'concurrency', q -> 'rate_limit', q -> 'rate_period_ms', q -> 'weight', q -> 'group_concurrency',
    q -> 'runs_on', q -> 'paused'
  ) from (select messenger_list_queues(name => lane) #> '{queues,0}') as one (q)
$$;
select is(
  pg_temp.shown('reports/acme'), '["reports/acme", 2, 10, 60000, 5, 3, "worker", false]',
  'a lane with a weight of its own has the limits that its queue sets for each lane'
);
select is(
  pg_temp.shown('reports/gold'), '["reports/gold", 20, 50, 5000, 1, 3, "worker", false]', 'its own limits come before them'
);
select is(
  pg_temp.shown('reports/none'), '["reports/none", 2, 10, 60000, 1, 3, "worker", false]', 'and a lane without a row has them too'
);
update messenger_queues set paused = true where name = 'reports';
select is(pg_temp.shown('reports/acme') ->> 7, 'true', 'a lane of a paused queue is paused');
select is(
  pg_temp.shown('gone/acme'), '["gone/acme", null, null, 1000, 7, 1, "tick", false]', 'a lane without its queue is still listed'
);

select * from finish();
rollback;
