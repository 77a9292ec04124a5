begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at)
select 'W', messenger_now() + interval '1 day' from generate_series(1, 1500);
insert into messenger.waits select 'x', m.id from messenger_messages m;
insert into messenger.event_notes (event) values ('x');

select is(messenger.wake_noted_waiters(), 1000, 'a sweep wakes a thousand, and keeps the note');
select is(
  messenger_rest_tick(test.tick('awake')) ->> 'due', 'true', 'a tick wakes the others before it rests'
);
select is_empty('select from messenger.waits', 'until none waits');
select is_empty('select from messenger.event_notes', 'and the note goes');

select * from finish();
rollback;
