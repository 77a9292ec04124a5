-- As messenger_emit does.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at) values ('A', '2026-02-01 12:00Z');
insert into messenger.waits (event, message_id) values ('paid:7', test.id_of('A'));
insert into messenger_events (event, value) values ('paid:7', '{}');
set constraints all immediate;
select is(
  (select available_at from messenger_messages), '2026-01-01 12:00Z'::timestamptz, 'the message is due'
);

select * from finish();
rollback;
