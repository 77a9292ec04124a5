-- The dispatches of a handler are there if the outcome of its message is, and only then.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('Handled', 'Snoozed', 'Retried', 'Dead', 'Stale', 'Released', 'Plain');
select test.claim(test.token(1));
update messenger_messages set lease_token = test.token(2) where type = 'Stale';
create function pg_temp.effects_of(variadic types text[]) returns jsonb language sql as $$
  select jsonb_agg(jsonb_build_object(
    'id', test.id_of(type)::text, 'emits', '[]'::jsonb, 'messages', jsonb_build_array(jsonb_build_object(
      'id', messenger_reserve_ids(1) #> '{ids,0}', 'type', 'Child', 'queue', 'children', 'priority', 7,
      'payload', jsonb_build_object('of', type), 'delay_ms', 1000, 'ttl_ms', 5000,
      'stamps', '{"by": "test"}'::jsonb
    ))
  ))
  from unnest(types) as t (type)
$$;
create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', test.ids('Handled', 'Stale', 'Plain'),
  'released', test.ids('Released'),
  'snoozed', jsonb_build_array(jsonb_build_object('id', test.ids('Snoozed') -> 0, 'delay_ms', 1000)),
  'retries', jsonb_build_array(jsonb_build_object(
    'id', test.ids('Retried') -> 0, 'delay_ms', 0, 'retry_count', 1
  )),
  'dead', jsonb_build_array(jsonb_build_object('id', test.ids('Dead') -> 0, 'reason', 'unrecoverable')),
  'effects', pg_temp.effects_of('Handled', 'Stale', 'Snoozed', 'Retried', 'Dead')
))) as answer;

select is(
  (select answer from answer), jsonb_build_object('stale', test.ids('Stale')), 'one has another lease by now'
);
select results_eq(
  $$select payload ->> 'of' from messenger_messages where type = 'Child' order by id$$,
  array['Handled', 'Snoozed', 'Retried', 'Dead'], 'its child is not written; those of all others are'
);
select results_eq(
  $$select distinct queue collate "default" as queue, priority, available_at, expires_at, created_at, stamps ->> 'by', status, attempts
    from messenger_messages where type = 'Child'$$,
  $$values (
    'children', 7::smallint, '2026-01-01 12:00:01Z'::timestamptz, '2026-01-01 12:00:05Z'::timestamptz,
    '2026-01-01 12:00Z'::timestamptz, 'test', 'pending', 0
  )$$,
  'a child is as it was dispatched; its delay and its time to live begin with the outcome'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('Snoozed'), 'effects', pg_temp.effects_of('Snoozed')
  ))),
  jsonb_build_object('stale', test.ids('Snoozed')), 'a repeated call is stale'
);
select is(
  (select count(*) from messenger_messages where type = 'Child'), 4::bigint, 'and writes nothing again'
);

select * from finish();
rollback;
