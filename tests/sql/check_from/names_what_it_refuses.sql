-- A redrive from a step needs that step, and an edited payload of a message with steps needs a redrive from one.
begin;
select plan(6);
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at) values
  (1, 'A', '{}', 'default', 'exhausted', now()), (2, 'A', '{}', 'default', 'exhausted', now());
insert into messenger_steps (message_id, handler, name, status) values (1, 'h', 'a', 'done'), (1, 'h', 'b', 'failed');
select throws_ok(
  $$select messenger_redrive(array[1], payload => '{}')$$, 'PT400',
  'from: is needed, because the message has steps that were made with the old payload', 'an edited payload'
);
select throws_ok(
  $$select messenger_redrive(array[1, 2], "from" => 'a')$$, 'PT400', 'from: dead letter 2 has no step "a"', 'no such step'
);
select throws_ok(
  $$select messenger_redrive(array[1], "from" => '')$$, 'PT400',
  'from: has to be "start" or the name of a step, 1 to 255 characters', 'empty'
);
select is(messenger_redrive(array[2], payload => '{"n":1}') -> 'done', '1', 'a message without steps needs no from');
select is(messenger_redrive(array[1], payload => '{"n":1}', "from" => 'start') -> 'done', '1', 'from the start');
select is((select count(*)::integer from messenger_steps), 0, 'and its steps are gone');

select * from finish();
rollback;
