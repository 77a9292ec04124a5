-- The lane becomes part of the queue's name; the row is the queue's.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
select messenger_dispatch('A', queue => 'reports', lane => 'acme/eu');
select is((select queue::text from messenger_messages), 'reports/acme%2Feu', 'the queue of the lane');
select is((select array_agg(name::text order by name) from messenger_queues), array['default', 'reports'], 'one row');
select throws_ok(
  $$select messenger_dispatch('A', lane => repeat('x', 101))$$, 'PT400',
  'lane: has to be 1 to 100 bytes (101 were given)', 'a lane that is too long'
);
select messenger_enqueue('[{"type": "B", "queue": "reports/x"}]');
select throws_ok(
  $$select messenger_enqueue('[{"type": "B", "queue": "reports/x/y"}]')$$, 'PT400', null, 'a lane of a lane'
);
select throws_ok(
  $$delete from messenger_queues where name = 'reports'$$, 'PT409', null, 'a queue whose lanes hold messages stays'
);
select is(
  (messenger_cancel(queue => 'reports') ->> 'done')::integer, 2, 'all lanes are cancelled by their queue''s name'
);
select * from finish();
rollback;
