-- They would be refused when the last member has ended, and the batch would never be finished.
begin;
select plan(3);
create function pg_temp.batch(field text, characters integer) returns jsonb language sql as $$
  select jsonb_build_object('name', 'n', 'on_finished', jsonb_build_object(
    'type', 'A', field, jsonb_build_object('text', repeat('x', characters))
  ))
$$;

select throws_like(
  $$select messenger_write_batch(pg_temp.batch('payload', 9000000))$$,
  'on_finished: payload: has 90000__ bytes; has to have at most 8388608', 'a payload'
);
select throws_like(
  $$select messenger_write_batch(pg_temp.batch('stamps', 1048500))$$,
  'on_finished: stamps: has 10485__ bytes; has to have at most 1044480', 'stamps, which the batch adds its own to'
);
select messenger_write_batch(pg_temp.batch('stamps', 1044400));
select is(
  (select type from messenger_messages), 'A', 'what is just small enough is dispatched'
);

select * from finish();
rollback;
