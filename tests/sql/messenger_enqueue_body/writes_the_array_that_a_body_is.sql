-- PostgREST passes the body as a whole; messenger_enqueue does the rest.
begin;
select plan(4);

create temp table replies as
select messenger_enqueue_body('[{"type":"A"},{"type":"B","payload":{"n":1},"queue":"mail"}]') as answer;

select is((select count(*) from replies), 1::bigint, 'one row is returned');
select is(
  (select answer from replies), jsonb_build_object('ids', test.ids('A', 'B')),
  'it has the ids in the order of the array'
);
select results_eq(
  'select type, payload, queue collate "default" from messenger_messages order by id',
  $$values ('A', '{}'::jsonb, 'default'), ('B', '{"n":1}', 'mail')$$,
  'the messages are written, with defaults for what they leave out'
);
select throws_ok(
  $$select messenger_enqueue_body('{"messages":[]}')$$, 'PT400', 'messages: has to be an array',
  'a body that is no array'
);

select * from finish();
rollback;
