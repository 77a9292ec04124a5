-- A dispatch after a restore gets an id that no message and no dead letter has; each way in.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select 1000000000 + n, 'D', '{}', 'default', 'exhausted', now() from generate_series(1, 3) as n;
create function pg_temp.restore() returns void
language sql
as $$ select setval('messenger_messages_id_seq', 1, false) $$;

select pg_temp.restore();
select is(messenger_dispatch('C'), 1000000004::bigint, 'one message');
select pg_temp.restore();
select is(
  messenger_enqueue('[{"type":"C"},{"type":"C"}]'), '{"ids":["1000000005","1000000006"]}', 'several'
);
select pg_temp.restore();
select is(messenger_dispatch('C', idempotency_key => 'k'), 1000000007::bigint, 'with a key');
select pg_temp.restore();
select is(messenger_dispatch('C', dedupe_key => 'k'), 1000000008::bigint, 'with a dedupe key');
select pg_temp.restore();
select is(messenger_dispatch('C', group_key => 'g'), 1000000009::bigint, 'in a group');
select is(messenger_dispatch('C'), 1000000010::bigint, 'and the next follows');

select * from finish();
rollback;
