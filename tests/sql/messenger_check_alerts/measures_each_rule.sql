begin;
select plan(22);
select test.set_clock('2026-01-01 12:00Z');
delete from messenger_ticks where true;

select test.alert('dead_letters');
select test.dead_letter('A', failed_at => '2026-01-01 11:30Z');
select test.dead_letter('B', queue => 'mail', reason => 'crashed', failed_at => '2026-01-01 11:30Z');
select test.dead_letter('B', queue => 'mail', failed_at => '2026-01-01 11:30Z');
select test.dead_letter('B', reason => 'cancelled');
select test.dead_letter('B', failed_at => '2026-01-01 11:00Z');
select is(test.measured(), '[3,"B"]', 'dead_letters: in the window, without cancelled ones');
select test.alert('dead_letters', '{"type":"B","queue":"mail"}');
select is(test.measured(), '[2,"B"]', 'dead_letters: of a type and a queue');
select test.alert('dead_letters', '{"reason":"cancelled"}');
select is(test.measured(), '[1,"B"]', 'dead_letters: for a reason');

select test.alert('oldest_ready');
select is(test.measured(), '[0,null]', 'oldest_ready: none');
select messenger_dispatch('A', available_at => '2026-01-01 11:50Z');
select messenger_dispatch('A', queue => 'mail', available_at => '2026-01-01 11:55Z');
select is(test.measured(), '[600000,null]', 'oldest_ready: of all queues');
select test.alert('oldest_ready', '{"queue":"mail"}');
select is(test.measured(), '[300000,"mail"]', 'oldest_ready: of one queue');

select test.alert('no_tick');
delete from messenger.jobs_set_up where true;
insert into messenger.jobs_set_up (at) values ('2026-01-01 11:59Z');
select is(test.measured(), '[60000,null]', 'no_tick: since the setup, if none ever came');
insert into messenger_ticks (started_at, worker) values ('2026-01-01 11:59:50Z', 'w'), ('2026-01-01 11:59:30Z', null);
insert into messenger_ticks (started_at) values (null);
select is(test.measured(), '[30000,null]', 'no_tick: since the last one');
select test.alert('ticks_not_started');
insert into messenger_ticks (asked_at) select clock_timestamp() - interval '40 seconds' from generate_series(1, 2);
delete from messenger_ticks where started_at is not null;
select is(test.measured(), '[2,null]', 'ticks_not_started');

select test.alert('schedule_overdue');
insert into messenger_schedules (name, message_type, schedule_type, interval_ms, next_run_at, enabled) values
  ('late', 'A', 'interval', 60000, '2026-01-01 11:58Z', true), ('off', 'A', 'interval', 60000, '2026-01-01 10:00Z', false),
  ('fine', 'A', 'interval', 60000, '2026-01-01 12:01Z', true);
select is(test.measured(), '[120000,null]', 'schedule_overdue: of all that are enabled');
select test.alert('schedule_overdue', '{"schedule":"fine"}');
select is(test.measured(), '[0,"fine"]', 'schedule_overdue: of one');

select test.alert('schedule_failing');
select is(test.measured(), '[0,null]', 'schedule_failing: none has failed');
insert into messenger_schedule_runs (schedule_id, occurrence, outcome)
select s.id, '2026-01-01'::timestamptz + n * interval '1 minute', outcome
from messenger_schedules s, unnest(array['failed', 'handled', 'failed', 'skipped', 'failed', 'enqueued'])
  with ordinality as o (outcome, n)
where s.name in ('late', 'off');
update messenger_schedule_runs r set outcome = 'failed' from messenger_schedules s where s.id = r.schedule_id and s.name = 'off';
select is(test.measured(), '[2,"late"]', 'schedule_failing: since the last that was handled, of those that are enabled');
select test.alert('schedule_failing', '{"schedule":"fine"}');
select is(test.measured(), '[0,null]', 'schedule_failing: of one');

select test.alert('retry_rate');
insert into messenger_ticks (started_at, ended_at, report) values
  (messenger_now(), '2026-01-01 11:50Z', '{"claimed":19,"handled":9,"retried":9,"failed":1}');
select is(test.measured(), '[null,null]', 'retry_rate: 19 outcomes say little');
insert into messenger_ticks (started_at, ended_at, report) values
  (messenger_now(), '2026-01-01 11:51Z', '{"claimed":1,"handled":0,"retried":1,"failed":0}'),
  (messenger_now(), '2026-01-01 11:40Z', '{"claimed":99,"handled":0,"retried":99,"failed":0}');
select is(test.measured(), '[0.5,null]', 'retry_rate: of those in the window');

select test.alert('long_step');
select is(test.measured(), '[0,null]', 'long_step: none');
insert into messenger_messages (id, type, queue, available_at) values (7001, 'Slow', 'default', '2026-01-01 11:40Z'), (7002, 'Slow', 'off', '2026-01-01 11:40Z');
insert into messenger_steps (message_id, handler, name, kind, status, until) values
  (7001, 'h', 's', 'sleep', 'pending', '2026-01-01 11:40Z'), (7001, 'h', 'done', 'sleep', 'done', '2026-01-01 10:00Z'),
  (7001, 'h', 'later', 'wait', 'pending', '2026-01-02 11:40Z'), (7002, 'h', 's', 'sleep', 'pending', '2026-01-01 09:00Z'),
  (7001, 'h', 'left out', 'wait', 'pending', '2026-01-01 07:00Z'), (-1, 'h', 's', 'sleep', 'pending', '2026-01-01 08:00Z');
update messenger_queues set paused = true where name = 'off';
select is(test.measured(), '[1200000,"message 7001 (Slow)"]', 'long_step: a sleep past its end, of a message that is there and fell due then');

select test.alert('queue_limited');
select messenger_set_queue('mail', '{"concurrency":1}');
select is(test.measured(), '[0,null]', 'queue_limited: the queue has room');
select test.claim(test.token(1), 1, queues => '{mail}');
select messenger_dispatch('A', queue => 'mail');
select is(test.measured(), '[0,"mail"]', 'queue_limited: from this check on');

select test.alert('webhook_disabled');
select is(test.measured(), '[0,null]', 'webhook_disabled: none');
insert into messenger_webhook_endpoints (name, url, secret, disabled_by, disabled_at) values
  ('a', 'https://a.example', 'webhook_a', 'operator', now()), ('b', 'https://b.example', 'webhook_b', 'failures', now());
select is(test.measured(), '[1,"b"]', 'webhook_disabled: those whose calls failed');

select * from finish();
rollback;
