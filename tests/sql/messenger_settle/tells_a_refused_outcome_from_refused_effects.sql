-- A foreign key of the project's own keeps a row: its outcome is refused, and not what its handlers dispatched.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('Good', 'Kept');
select messenger_dispatch('Child', '{"n": 1}', idempotency_key => 'taken');
select test.dispatch('Conflict');
select test.claim(test.token(1));
create table public.orders (message_id bigint references public.messenger_messages (id));
insert into public.orders values (test.id_of('Kept'));

create function pg_temp.effect(parent text, more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('id', test.id_of(parent)::text, 'messages', jsonb_build_array(
    jsonb_build_object('id', messenger_reserve_ids(1) #> '{ids,0}', 'type', 'Child', 'payload', '{"n": 2}'::jsonb) || more
  ))
$$;
create temp table answer as select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1),
  'handled', test.ids('Good', 'Kept', 'Conflict'),
  'effects', jsonb_build_array(
    pg_temp.effect('Good'), pg_temp.effect('Kept'), pg_temp.effect('Conflict', '{"idempotency_key": "taken"}')
  )
))) as answer;

select results_eq(
  $$select (r ->> 'id')::bigint, r ->> 'code', (r ->> 'of_outcome')::boolean
    from answer, jsonb_array_elements(answer -> 'refused') as r$$,
  $$values (test.id_of('Kept'), '23503', true), (test.id_of('Conflict'), 'PT409', false)$$,
  'only the kept row is refused for its outcome'
);
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1),
    'retries', jsonb_build_array(jsonb_build_object(
      'id', test.id_of('Kept')::text, 'delay_ms', 600000, 'retry_count', 0, 'ended', 'handled'
    )),
    'effects', jsonb_build_array(pg_temp.effect('Kept'))
  ))),
  '{"stale": []}', 'it ends all the same'
);
select is(
  (select stamps ->> 'ended' from messenger_messages where type = 'Kept'), 'handled', 'its row notes how'
);
select is(
  (select count(*)::integer from messenger_messages where type = 'Child' and payload = '{"n": 2}'), 2,
  'and what its handlers dispatched is written'
);

select * from finish();
rollback;
