-- A resident worker may live longer than 10,000 ticks.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_ticks (id, worker, started_at, heartbeat_at, rested_at, ended_at)
overriding system value values
  (1, 'runs', now(), now(), now(), null), (2, 'ended', now(), now(), now(), now()),
  (3, 'killed', now(), now() - interval '2 hours', now(), null), (4, null, now(), now(), now(), now());
select setval('messenger_ticks_id_seq', 10012);
select messenger_start_tick();
select is(
  array(select t.worker from messenger_ticks t where t.id < 10000), array['runs'],
  'what has ended, or gave no sign of life for an hour, is deleted'
);

select * from finish();
rollback;
