-- It waits in the outbox, then in its engine, until its delivery is settled. A message of another project is no longer
-- known once it is there.
begin;
select plan(16);
select test.set_clock('2026-01-01 12:00Z');
select messenger_declare_routing('{"events": true, "eu": false}', '{"ImportRow": "events", "Audit": "eu"}');
select messenger_enqueue('[
  {"type":"ImportRow","stamps":{"user":{"id":"ann"}}}, {"type":"Audit","stamps":{"user":{"id":"ann"}}}
]');
create temp table known as select id, type from messenger.outbox;
create function pg_temp.status(of_type text, of_user text default 'ann') returns text language sql
as $$ select messenger_follow(id, of_user) ->> 'status' from known where type = of_type $$;
create function pg_temp.listed(status text default null) returns text[] language sql as $$
  select array(
    select m ->> 'type' || ' ' || (m ->> 'status')
    from jsonb_array_elements(messenger_list_user_messages('ann', status => status) -> 'messages') as m
  )
$$;
create temp table claimed (c jsonb);
create function pg_temp.publish(of_transport text) returns void language sql as $$
  delete from pg_temp.claimed;
  insert into pg_temp.claimed select messenger_claim_outbox(of_transport, test.token(1));
  select messenger_finish_outbox(of_transport, (c ->> 'shard')::integer, test.token(1), array(
    select (m ->> 'position')::bigint from jsonb_array_elements(c -> 'messages') as m
  )) from pg_temp.claimed
$$;
create function pg_temp.delivery(publication integer) returns jsonb language sql as $$
  select jsonb_build_object(
    'id', id, 'origin', messenger.installation_id(), 'source_id', id, 'publication', publication,
    'token', test.token(2), 'type', type, 'payload', 1, 'queue', 'default', 'priority', 0, 'created_at', now(),
    'retry_count', publication - 1, 'attempts', publication, 'snoozes', 0, 'interruptions', 0,
    'stamps', '{"user":{"id":"ann"}}'::jsonb
  ) from known where type = 'ImportRow'
$$;

select is(pg_temp.status('ImportRow'), 'pending', 'it waits in the outbox');
select is(pg_temp.status('ImportRow', 'bob'), null, 'another user''s does not exist');
select is(pg_temp.listed(), array['Audit pending', 'ImportRow pending'], 'both are listed');
select is(pg_temp.listed('pending'), array['Audit pending', 'ImportRow pending'], 'by their status');
select is(pg_temp.listed('processing'), '{}', 'and by no other');
select pg_temp.publish('events');
select pg_temp.publish('eu');
select is(pg_temp.status('ImportRow'), 'pending', 'it waits in its engine');
select is(pg_temp.status('Audit'), null, 'another project has it now');
select is(pg_temp.listed(), array['ImportRow pending'], 'and the list does not have it any more');

select messenger_settle_deliveries('events', adopted => jsonb_build_array(pg_temp.delivery(1)), settlements =>
  jsonb_build_array(jsonb_build_object('token', test.token(2), 'retries', (
    select jsonb_build_array(jsonb_build_object('id', id, 'delay_ms', 60000, 'retry_count', 1))
    from known where type = 'ImportRow'
  )))
);
select is(pg_temp.status('ImportRow'), 'retrying', 'it waits for its retry');
select is(pg_temp.listed('retrying'), array['ImportRow retrying'], 'and is listed once');
select is(pg_temp.listed('pending'), '{}', 'and not as it was before');
select test.set_clock('2026-01-01 12:02Z');
select pg_temp.publish('events');
select is(pg_temp.status('ImportRow'), 'retrying', 'it waits for its retry in the engine');
select messenger_settle_deliveries('events', adopted => jsonb_build_array(pg_temp.delivery(2)));
select is(pg_temp.status('ImportRow'), 'processing', 'it runs at home');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(2), 'handled', (
  select jsonb_build_array(id::text) from known where type = 'ImportRow'
))));
select is(pg_temp.status('ImportRow'), null, 'it is handled');
select messenger_resend_outbox('events', since => '2026-01-01 12:00Z');
select is(pg_temp.status('ImportRow'), null, 'also while it is sent again');
select is(pg_temp.listed(), '{}', 'nothing is left');
select * from finish();
rollback;
