-- A wait that is decided replaces its pending row, keeps its place and its details, and is decided once.
begin;
select plan(2);
insert into messenger_steps (message_id, handler, name, kind, status, details, until)
values (1, 'h', 'w', 'wait', 'pending', '{"keys":["a"]}', '2026-01-01');
select messenger.store_steps(
  '[{"id":1,"steps":[{"handler":"h","name":"w","kind":"wait","status":"done","result":1}]}]', array[1]::bigint[]
);
select results_eq(
  'select status, result, details, until from messenger_steps',
  $$values ('done', '1'::jsonb, '{"keys":["a"]}'::jsonb, '2026-01-01'::timestamptz)$$, 'it is decided'
);
select messenger.store_steps(
  '[{"id":1,"steps":[{"handler":"h","name":"w","kind":"wait","status":"done","result":2}]}]', array[1]::bigint[]
);
select is((select result from messenger_steps), '1', 'once');

select * from finish();
rollback;
