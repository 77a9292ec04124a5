-- By checks of the tables, whatever is typed.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type) values ('A');
insert into messenger_schedules (message_type, schedule_type, interval_ms) values ('A', 'interval', 60000);
select test.dead_letter('A');
select throws_ok($$update messenger_messages set status = 'processing'$$, '23514', null, 'running without a lease');
select throws_ok($$update messenger_messages set status = 'done'$$, '23514', null, 'a state that is none');
select throws_ok($$update messenger_messages set priority = 2000$$, '23514', null, 'a priority out of bounds');
select throws_ok(
  $$update messenger_messages set available_at = 'infinity'$$, '23514',
  'new row for relation "messenger_messages" violates check constraint "available_at: has to be a moment, which infinity is not"',
  'a due time that never comes'
);
select throws_ok($$update messenger_queues set max_workers = 0$$, '23514', null, 'a limit of nothing');
select throws_ok($$update messenger_failed_messages set status = 'pending'$$, '23514', null, 'a dead letter that waits');
select throws_ok($$update messenger_schedules set schedule_type = 'daily'$$, '23514', null, 'a kind of schedule that is none');
select throws_ok($$update messenger_schedules set catch_up = 'some'$$, '23514', null, 'a rule that is none');

select * from finish();
rollback;
