-- An operator cancels what waits in the outbox, but not what a relay is just publishing, nor what is sent.
begin;
select plan(12);
select messenger_declare_routing('{"events": true, "eu": false}', '{"ImportRow": "events", "Audit": "eu"}');
select messenger_dispatch('ImportRow', to_jsonb(n), group_key => 'g') from generate_series(1, 2) as n;
select messenger_dispatch('ImportRow', '3', delay => '1 hour');
select messenger_dispatch('Audit', '4');
select is(
  messenger_cancel_outbox(transport => 'events', dry_run => true), '{"matched": 3, "done": 0, "running": 0, "missing": [], "next": null}', 'a dry run counts'
);
select messenger_claim_outbox('events', test.token(1), max_messages => 1);
select is(messenger_cancel_outbox(transport => 'events') -> 'done', '2', 'the others are cancelled');
select results_eq(
  'select payload, reason from messenger_failed_messages order by id', $$values ('2'::jsonb, 'cancelled'), ('3', 'cancelled')$$,
  'they are dead letters'
);
select is((select array_agg(payload order by position) from messenger.outbox), array['1', '4']::jsonb[], 'the one that is being published stays');
select is(messenger_cancel_outbox(ids => array(select id from messenger.outbox where transport = 'eu')) -> 'done', '1', 'an id names one');
select throws_ok(
  'select messenger_cancel_outbox()', 'PT400', 'filter: give at least one of ids, transport, type, queue, group_key, or "all" => true',
  'no filter is no filter'
);
select throws_ok(
  $$select messenger_cancel_outbox(type => '')$$, 'PT400', 'type: is empty; leave it out, or give a value', 'an empty field is refused'
);
select throws_ok(
  $$select messenger_cancel_outbox(type => 'Audit', "all" => true)$$, 'PT400', 'all: goes with no other filter (type was given)', 'all is all'
);
select throws_ok(
  $$select messenger_cancel_outbox("all" => true, after => '{"id":"x"}')$$, 'PT400', 'after: has to be the "next" of the step before',
  'a wrong place is refused'
);
select is(
  (messenger_act('ada', 'messenger_cancel_outbox', '{"all": true, "dry_run": false}') -> 'done')::int, 0, 'the action log knows the operation'
);
select is(
  messenger_cancel_outbox(ids => array_append(array_fill(987654321, array[2]), (select min(id) from messenger.outbox))) -> 'missing',
  '["987654321"]', 'an id that is not there is named once, and one that stays is there'
);
select throws_like($$select messenger_cancel_outbox("all" => true, dry_run => null)$$, 'dry_run: has to be true or false%', 'null is neither a dry run nor none');
select * from finish();
rollback;
