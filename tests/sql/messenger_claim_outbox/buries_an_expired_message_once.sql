-- Rows that are sent again: of one message there may be two, and it may be at home again, or handled.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
create function pg_temp.copy_row(p_id bigint) returns void language sql as $$
  insert into messenger.outbox (id, publication, transport, shard, type, payload, available_at, expires_at, created_at, bytes)
  select id, publication + 1, transport, shard, type, payload, available_at, expires_at, created_at, bytes
  from messenger.outbox where id = p_id
$$;
create temp table sent as
select messenger_dispatch('ImportRow', to_jsonb(n), ttl => '1 minute') as id, n from generate_series(1, 3) as n;

select pg_temp.copy_row((select id from sent where n = 1));
insert into messenger_messages (id, type, payload) select id, 'ImportRow', '2' from sent where n = 2;
insert into messenger.handled_deliveries (transport, origin, id, publication, handled_at)
select 'events', (select i.id from messenger.installation i), id, 1, messenger_now() from sent where n = 3;
update messenger.outbox set available_at = '2026-01-01 12:00Z', expires_at = '2026-01-01 12:01Z' where true;

select test.set_clock('2026-01-01 13:00Z');
select lives_ok(
  $$select messenger_claim_outbox('events', gen_random_uuid()) from generate_series(1, 8)$$, 'no relay fails'
);
select results_eq(
  'select payload, reason from messenger_failed_messages', $$values ('1'::jsonb, 'expired')$$, 'the lost one is a dead letter once'
);
select is((select count(*) from messenger.outbox), 0::bigint, 'nothing is left to fail again');
select is((select count(*) from messenger_messages), 1::bigint, 'the one at home stays');

select * from finish();
rollback;
