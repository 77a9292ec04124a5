-- A tick is asked for where what was written is due, and its shard is free before the next minute's tick.
begin;
select plan(6);
select messenger_declare_routing('{"events": true}', '{"T": "events"}');
create function pg_temp.asked() returns bigint language sql as $$
  with gone as (delete from messenger_ticks returning id) select count(*) from gone
$$;

select messenger_dispatch('T', delay => '1 hour');
select is(pg_temp.asked(), 0::bigint, 'none for a message of the future');
select messenger_dispatch('T');
select is(pg_temp.asked(), 1::bigint, 'one for a message that is due');
update messenger.relays set retry_at = now() + interval '5 minutes' where transport = 'events';
select messenger_dispatch('T');
select is(pg_temp.asked(), 0::bigint, 'none while the transport is left alone');
update messenger.relays set retry_at = null, leased_until = now() + interval '5 minutes' where transport = 'events';
select messenger_dispatch('T');
select is(pg_temp.asked(), 0::bigint, 'none while relays are at work');
update messenger.relays set leased_until = null where transport = 'events';
select messenger_dispatch('T');
select is(pg_temp.asked(), 1::bigint, 'one again when they are done');
delete from messenger.routes where true;
delete from messenger.transports where true;
insert into messenger.outbox (id, transport, shard, type, payload, available_at, created_at, bytes)
values (-1, 'events', 0, 'T', '{}', now(), now(), 2);
select is(pg_temp.asked(), 0::bigint, 'none for a transport that no code declares');
select * from finish();
rollback;
