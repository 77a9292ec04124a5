-- 3,000 quarantined messages wait in a queue that is paused, and as many in one that is full.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, paused, concurrency) values ('held', true, null), ('full', false, 1);
insert into messenger_messages (type, queue, available_at, quarantined)
select 'Held', q, messenger_now() - interval '1 day', true from generate_series(1, 3000), unnest('{held,full}'::text[]) as q;
insert into messenger_messages (type, queue, status, lease_token, leased_until, heartbeated)
values ('Running', 'full', 'processing', test.token(9), messenger_now() + interval '1 hour', true);
select test.dispatch('A', 'B');

select cmp_ok(test.rows_read_by('select test.claim(test.token(1), 1)'), '<', 100::bigint, 'a claim reads few messages');
select cmp_ok(
  test.rows_read_by('select test.claim(test.token(2), 1, run_alone => true)'), '<', 100::bigint, 'one of a quarantined message too'
);
select is(test.claim(test.token(3), 2) -> 'quarantined_due', 'false', 'none is due');
select cmp_ok(test.rows_read_by('select messenger.next_due()'), '<', 100::bigint, 'a poll reads few messages');
select cmp_ok(test.rows_read_by('select messenger.stray_queues()'), '<', 100::bigint, 'and so does the health check');

insert into messenger_messages (type, queue, available_at, quarantined) values ('Due', 'mail', messenger_now(), true);
select is(test.claim(test.token(4), 2) -> 'quarantined_due', 'true', 'one of another queue is due');
select is(
  test.types(test.claim(test.token(5), 1, run_alone => true) -> 'messages'), array['Due'], 'and taken by the first claim'
);
select is(test.claim(test.token(6), 2) -> 'quarantined_due', 'false', 'then none is due');

select * from finish();
rollback;
