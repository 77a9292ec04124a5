-- Otherwise the state of the old message would be reported for the new one.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');
select setval('messenger_messages_id_seq', 10);

insert into messenger_handled_messages
values (20, 'A', 'default', 'a user', 1, now(), messenger_now(), messenger_now() + interval '1 day');
select is(messenger.sequence_behind(), true, 'a handled message');
select is(messenger_dispatch('B') > 20, true, 'is passed over');
select is(messenger.sequence_behind(), false, 'once');

select messenger_schedule_interval('C', '{}', interval '1 hour', name => 'hourly');
insert into messenger_schedule_runs (schedule_id, occurrence, message_id, outcome)
select id, messenger_now(), 40, 'enqueued' from messenger_schedules;
select is(messenger.sequence_behind(), true, 'a message of a schedule');
select is(messenger_dispatch('B') > 40, true, 'is passed over');

insert into messenger.idempotency_keys values ('', 'D', 'k', 70, null, messenger_now() + interval '1 day');
insert into messenger.progress values (60, 0.5, 'half', messenger_now());
insert into messenger_handled_messages
values (50, 'A', 'default', 'a user', 1, now(), messenger_now(), messenger_now() + interval '1 day');
select is(messenger_dispatch('B') > 70, true, 'with it what keys and progress remember');
select is(
  (messenger_enqueue('[{"type": "D", "idempotency_key": "k2"}]') #>> '{ids,0}')::bigint > 71, true, 'with a key'
);
select is(messenger.sequence_behind(), false, 'mended');

select * from finish();
rollback;
