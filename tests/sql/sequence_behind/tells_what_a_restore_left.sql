-- And nothing where all goes its way.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select is(messenger.sequence_behind(), false, 'an empty bus');
select test.dispatch('A', 'B');
select is(messenger.sequence_behind(), false, 'messages');
select setval('messenger_messages_id_seq', (select max(id) from messenger_messages), false);
select is(messenger.sequence_behind(), true, 'the next id is taken by a message');
select setval('messenger_messages_id_seq', (select max(id) from messenger_messages));
select is(messenger.sequence_behind(), false, 'the next id is free');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select max(id) + 1, 'D', '{}', 'default', 'exhausted', now() from messenger_messages;
select is(messenger.sequence_behind(), true, 'the next id is taken by a dead letter');
select messenger.mend_sequence();
select is(messenger.sequence_behind(), false, 'mended');

select * from finish();
rollback;
