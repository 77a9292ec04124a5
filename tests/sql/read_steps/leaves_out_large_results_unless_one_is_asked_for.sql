-- A large result comes when it is asked for.
begin;
select plan(3);
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
values (1, 'A', 'processing', '00000000-0000-4000-8000-000000000001', 'infinity', 1);
insert into messenger_steps (message_id, handler, name, status, result) values
  (1, 'h', 'small', 'done', '1'), (1, 'h', 'large', 'done', to_jsonb(repeat('x', 20000)));
select results_eq(
  $$select s ->> 'name', s ? 'result', s ? 'left_out' from jsonb_array_elements(
    messenger.read_steps('[{"id":1,"token":"00000000-0000-4000-8000-000000000001"}]') -> '1'
  ) as s$$,
  $$values ('small', true, false), ('large', false, true)$$,
  'the large one is left out'
);
select is(
  messenger.read_steps('[{"id":1,"token":"00000000-0000-4000-8000-000000000001","step":{"handler":"h","name":"large","nth":1}}]')
    -> '1' -> 0 ->> 'result',
  repeat('x', 20000), 'the one that is asked for comes whole'
);

insert into messenger_steps (message_id, handler, name, status, result)
select 1, 'h', 'part ' || n, 'done', to_jsonb(repeat('x', 16000)) from generate_series(1, 600) as n;
select cmp_ok(
  length(messenger.read_steps('[{"id":1,"token":"00000000-0000-4000-8000-000000000001"}]')::text), '<', 9000000,
  'all of a call have at most 8 MB as JSON, however well they compress'
);

select * from finish();
rollback;
