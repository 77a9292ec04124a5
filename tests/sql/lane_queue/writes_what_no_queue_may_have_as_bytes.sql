begin;
select plan(10);
select is(messenger.lane_queue('reports', null), 'reports', 'no lane');
select is(messenger.lane_queue('reports', 'acme-1.x:y_z'), 'reports/acme-1.x:y_z', 'a plain one');
select is(messenger.lane_queue('reports', 'a/b c%é'), 'reports/a%2Fb%20c%25%C3%A9', 'others by their bytes');
select ok(messenger.is_queue_name(messenger.lane_queue('reports', 'a/b ' || chr(128512))), 'is a name of a queue');
select ok(not messenger.is_queue_name(n), format('%L is none', n))
from unnest(array['reports/', '/acme', 'reports/a/b', 'reports/%2f']) as n;
select throws_ok(
  $$select messenger_dispatch('A', lane => '')$$, 'PT400', 'lane: has to be 1 to 100 bytes (0 were given)', 'empty'
);
select throws_ok(
  $$select messenger_dispatch('A', queue => 'reports/a', lane => 'b')$$, 'PT400',
  'lane: does not go with the queue reports/a, which names a lane already', 'twice'
);
select * from finish();
rollback;
