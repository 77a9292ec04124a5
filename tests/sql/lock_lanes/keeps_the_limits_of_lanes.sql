-- Limits for each lane, from the queue's row or the lane's own, and for the queue as a whole.
begin;
select plan(14);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.taken(worker integer, most integer default 100) returns text[] language sql as $$
  select array(
    select format('%s %s', m ->> 'queue', count(*))
    from jsonb_array_elements(test.claim(test.token(worker), most, slots => 100) -> 'messages') as m
    group by m ->> 'queue' order by m ->> 'queue'
  )
$$;

insert into messenger_queues (name, lane_concurrency) values ('reports', 2);
insert into messenger_queues (name, concurrency) values ('reports/big', 5);
select test.dispatch_many(10, q) from unnest(array['reports/a', 'reports/b', 'reports/big']) as q;
select is(pg_temp.taken(1), array['reports/a 2', 'reports/b 2', 'reports/big 5'], 'as many of each lane are leased as it may have');
select is(pg_temp.taken(2), '{}', 'and no more while they run');
select is(
  messenger.next_due(array['reports']), '2026-01-01 12:01Z'::timestamptz, 'until a lease of a lane ends'
);
select is(messenger.has_due(), false, 'so that no tick is asked for');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'handled', (
  select jsonb_agg(m.id::text) from messenger_messages m where m.lease_token = test.token(1) and m.queue = 'reports/a'
))));
select is(pg_temp.taken(3), array['reports/a 2'], 'a lane that is done continues alone');

update messenger_queues set concurrency = 10 where name = 'reports';
select is(messenger.count_leased('reports', 100), 9, 'the queue as a whole counts its lanes');
insert into messenger_queues (name, concurrency) values ('reports/c', 5);
select test.dispatch_many(10, 'reports/c');
select is(pg_temp.taken(4), array['reports/c 1'], 'and takes no more than there is room for');
select is(messenger.queue_room('reports'), 0, 'then it is full');

update messenger_queues set concurrency = null, lane_concurrency = null, lane_rate_limit = 3, lane_rate_period_ms = 60000
where name = 'reports';
delete from messenger_queues q where q.name = 'other';
select messenger_cancel(queue => 'reports');
select test.dispatch_many(10, q) from unnest(array['reports/x', 'reports/y']) as q;
select is(pg_temp.taken(5), array['reports/x 3', 'reports/y 3'], 'a rate of each lane');
select is(pg_temp.taken(6), '{}', 'holds in the period');
select is(
  messenger.next_due(array['reports/x']), (
    select max(starts_by) + interval '1 minute' from messenger.start_grants where queue = 'reports/x'
  ), 'until its starts have passed'
);
select test.set_clock('2026-01-01 12:01:05Z');
select is(pg_temp.taken(7), array['reports/x 3', 'reports/y 3'], 'then it starts again');

select throws_ok(
  $$insert into messenger_queues (name, max_workers) values ('reports/d', 2)$$, '23514',
  'new row for relation "messenger_queues" violates check constraint "name: a lane takes this setting from its queue"',
  'what lanes inherit is set for their queue'
);
select throws_ok(
  $$insert into messenger_queues (name) values ('reports/d/e')$$, '23514', null, 'a lane has no lanes'
);

select * from finish();
rollback;
