-- A message that waits to be published is cancelled at once; one that its engine has is dropped at its delivery.
begin;
select plan(5);
select messenger_declare_routing('{"events": true}', '{"ImportRow": "events"}');
select messenger_enqueue('[
  {"type":"ImportRow","payload":1,"stamps":{"user":{"id":"ann"}}},
  {"type":"ImportRow","payload":2,"stamps":{"user":{"id":"ann"}}}
]');
create temp table known as select id, payload from messenger.outbox;
create function pg_temp.cancel(p_payload jsonb, of_user text) returns text language sql
as $$ select messenger_cancel_message(id, of_user) ->> 'status' from known where payload = p_payload $$;
update messenger.outbox set sent_at = now() where payload = '2';

select is(pg_temp.cancel('1', 'bob'), null, 'another user''s does not exist');
select is((select count(*)::integer from messenger.outbox where sent_at is null), 1, 'and stays');
select is(pg_temp.cancel('1', 'ann'), 'cancelled', 'their own is cancelled');
select is(pg_temp.cancel('2', 'ann'), 'pending', 'one that is sent is in the broker until a worker gets it');
select is((select count(*)::integer from messenger_failed_messages where reason = 'cancelled'), 1, 'one is a dead letter');
select * from finish();
rollback;
