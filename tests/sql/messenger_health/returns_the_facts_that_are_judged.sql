begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select is(
  messenger_health() - array['now', 'installation', 'version'],
  '{"alerts":{"alerts":[],"channels":[]},"last_tick_at":null,"oldest_ready_at":null,"dead_letters_last_hour":{"count":0,"capped":false},
    "ticks_not_started":0,"schedules_overdue_since":null,"schedules_invalid":0,"waiting_for_workers":[],"transports":[],"webhooks_disabled":[],"stray_queues":[],
    "sequence_is_behind":false,"default_queue":true}',
  'nothing yet'
);
insert into messenger_ticks (asked_at, started_at) values
  ('2026-01-01 11:58Z', '2026-01-01 11:58Z'), ('2026-01-01 11:59Z', null);
insert into messenger_messages (type, available_at, queue) values
  ('A', '2026-01-01 11:50Z', 'default'), ('A', '2026-01-01 11:00Z', 'paused'),
  ('A', '2026-01-01 13:00Z', 'default');
update messenger_queues set paused = true where name = 'paused';

select is(
  (messenger_health() ->> 'last_tick_at')::timestamptz, '2026-01-01 11:58Z'::timestamptz,
  'a tick that never started is none'
);
select is(
  (messenger_health() ->> 'oldest_ready_at')::timestamptz, '2026-01-01 11:50Z'::timestamptz,
  'what a paused queue holds does not wait'
);
delete from messenger_messages where available_at < '2026-01-01 12:00Z';
select is(messenger_health() -> 'oldest_ready_at', 'null', 'what is not due does not either');

select * from finish();
rollback;
