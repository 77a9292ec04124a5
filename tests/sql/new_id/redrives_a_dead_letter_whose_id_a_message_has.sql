-- It gets an id that nothing has, also where the sequence is behind.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select id, 'D', '{}', 'default', 'exhausted', messenger_now(), messenger_now() from messenger_messages;
select setval('messenger_messages_id_seq', 1, false);
select lives_ok($$select messenger_redrive(ids => array[test.id_of('A')])$$, 'it is redriven');
select is((select count(distinct id) from messenger_messages), 2::bigint, 'beside the other');

select * from finish();
rollback;
