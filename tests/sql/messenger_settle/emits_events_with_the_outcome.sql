-- Events of a handler are there if the outcome of its message is.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1));
update messenger_messages set lease_token = test.token(2) where type = 'B';
create function pg_temp.effects(type text, event text) returns jsonb language sql as $$
  select jsonb_build_object(
    'id', test.id_of(type)::text, 'messages', '[]'::jsonb,
    'emits', jsonb_build_array(jsonb_build_object('event', event, 'value', '{"of": 1}'::jsonb))
  )
$$;
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A', 'B'),
    'effects', jsonb_build_array(pg_temp.effects('A', 'done:a'), pg_temp.effects('B', 'done:b'))
  ))),
  jsonb_build_object('stale', test.ids('B')), 'one has another lease'
);
select results_eq(
  'select event, value from messenger_events', $$values ('done:a', '{"of": 1}'::jsonb)$$, 'its event was never there'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(2), 'handled', test.ids('B'),
    'effects', jsonb_build_array(pg_temp.effects('B', 'messenger.batch:1'))
  ))) #>> '{refused,0,code}',
  'PT400', 'an event that is not allowed fails its message alone'
);

select * from finish();
rollback;
