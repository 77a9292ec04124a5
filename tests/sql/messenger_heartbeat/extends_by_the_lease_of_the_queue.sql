-- Where it has one of its own; by what the worker asks for in the others.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, lease_ms) values ('quick', 5000);
select messenger_dispatch('A', queue => 'quick'), messenger_dispatch('B');
select test.claimed(1);
select test.set_clock('2026-01-01 12:00:01Z');
select messenger_heartbeat(
  jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids('A', 'B'))), 30000
);
select results_eq(
  'select type, leased_until from messenger_messages order by 1',
  $$values ('A', '2026-01-01 12:00:06Z'::timestamptz), ('B', '2026-01-01 12:00:31Z')$$,
  'each by its own'
);

select * from finish();
rollback;
