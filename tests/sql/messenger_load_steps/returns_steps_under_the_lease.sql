-- A worker reads the steps of the messages that it runs, in the order in which they were stored.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', '2026-01-01 12:01Z', 1);
insert into messenger_steps (message_id, handler, name, kind, status, result, until) values
  (1, 'h', 'b', 'step', 'done', '{"n":1}', null),
  (1, 'h', 'a', 'sleep', 'pending', null, '2026-01-01 12:00:05Z'),
  (1, 'h', 'over', 'sleep', 'pending', null, '2026-01-01 11:00Z'),
  (2, 'h', 'other', 'step', 'done', '1', null);

create temp table loaded as select messenger_load_steps(
  '[{"id":1,"token":"00000000-0000-4000-8000-000000000001"},{"id":2,"token":"00000000-0000-4000-8000-000000000001"}]'
) as answer;
select results_eq(
  $$select s ->> 'name', s ->> 'status', s -> 'result', (s ->> 'left_ms')::float8::integer
    from loaded, jsonb_array_elements(answer -> 'steps' -> '1') as s$$,
  $$values ('b', 'done', '{"n":1}'::jsonb, null::integer), ('a', 'pending', null, 5000),
    ('over', 'done', null, -3600000)$$,
  'the steps, and how long a sleep lasts'
);
select is((select answer -> 'stale' from loaded), '["2"]', 'the message of another is stale');
select is((select answer -> 'steps' -> '2' from loaded), null, 'and its steps are not told');
select is((select (answer ->> 'installation')::uuid from loaded), messenger.installation_id(), 'the identity of the bus');
select throws_ok(
  $$select messenger_load_steps('1')$$, 'PT400', 'leases: has to be an array of at most 1000 messages', 'no array'
);

select * from finish();
rollback;
