-- A dispatch that the database refuses undoes the outcome of its own message. The others are written.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('Child', '{"n": 1}', idempotency_key => 'taken');
select test.dispatch('Good', 'Conflict', 'Late', 'Repeat', 'Plain');
select test.claim(test.token(1));
create function pg_temp.effect(parent text, more jsonb) returns jsonb language sql as $$
  select jsonb_build_object('id', test.id_of(parent)::text, 'messages', jsonb_build_array(
    jsonb_build_object('id', messenger_reserve_ids(1) #> '{ids,0}', 'type', 'Child') || more
  ))
$$;
create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', test.ids('Good', 'Conflict', 'Late', 'Repeat', 'Plain'),
  'effects', jsonb_build_array(
    pg_temp.effect('Good', '{"payload": {"n": 2}}'),
    pg_temp.effect('Conflict', '{"payload": {"n": 3}, "idempotency_key": "taken"}'),
    pg_temp.effect('Late', '{"available_at": "2026-01-01 13:00Z", "ttl_ms": 1000}'),
    pg_temp.effect('Repeat', '{"payload": {"n": 1}, "idempotency_key": "taken"}')
  )
))) as answer;

select is((select answer -> 'stale' from answer), '[]', 'none is stale');
select results_eq(
  $$select (r ->> 'id')::bigint, r ->> 'code', (r ->> 'token')::uuid, split_part(r ->> 'message', ':', 1)
    from answer, jsonb_array_elements(answer -> 'refused') as r$$,
  $$values (test.id_of('Conflict'), 'PT409', test.token(1), 'idempotency_key'),
    (test.id_of('Late'), 'PT400', test.token(1), 'ttl')$$,
  'the refused ones are named with their errors'
);
select results_eq(
  $$select type, status, lease_token from messenger_messages where type <> 'Child' order by id$$,
  $$values ('Conflict', 'processing', test.token(1)), ('Late', 'processing', test.token(1))$$,
  'they stay leased; the others are handled'
);
select results_eq(
  $$select payload ->> 'n' from messenger_messages where type = 'Child' order by id$$,
  array['1', '2'], 'a repeat of a key writes nothing, and is no refusal'
);
select is(
  (select open from messenger.leases where token = test.token(1)), 3,
  'the lease keeps them, beside the first child'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'retries', (
      select jsonb_agg(jsonb_build_object('id', id, 'delay_ms', 0, 'retry_count', 1))
      from jsonb_array_elements(test.ids('Conflict', 'Late')) as i (id)
    )
  ))),
  '{"stale": []}', 'and can be settled in another way'
);
select throws_ok(
  $$select messenger_settle(jsonb_build_array(jsonb_build_object('token', null, 'effects', '[]'::jsonb)))$$,
  'PT400', 'settlements: an entry has no token', 'an entry without a token is refused as ever'
);

select * from finish();
rollback;
