-- One that waits at once, one that runs by its worker; what is finished stays as it is.
begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[
  {"type":"Runs","stamps":{"user":{"id":"ann"}}}, {"type":"Waits","stamps":{"user":{"id":"ann"}}},
  {"type":"Backend"}
]');
select test.claim(test.token(1), 1);
select test.dead_letter('Dead', stamps => '{"user":{"id":"ann"}}');
insert into messenger_handled_messages
values (900, 'Done', 'default', 'ann', 1, messenger_now(), messenger_now(), 'infinity');

select is(
  array(
    select messenger_cancel_message(id, 'bob') from unnest(array[
      test.id_of('Runs'), test.id_of('Waits'), test.id_of('Backend'), test.id_of('Dead'), 900, 123456
    ]) as i (id)
  ),
  array[null, null, null, null, null, null]::jsonb[], 'for another user there is none of them'
);
select is(messenger_cancel_message(test.id_of('Backend'), 'ann'), null, 'nor what no user dispatched');
select results_eq(
  'select type, status, cancelled from messenger_messages order by id',
  $$values ('Runs', 'processing', false), ('Waits', 'pending', false), ('Backend', 'pending', false)$$,
  'and nothing has changed'
);

select is(
  messenger_cancel_message(test.id_of('Waits'), 'ann') ->> 'status', 'cancelled', 'one that waits'
);
select is(
  messenger_cancel_message(test.id_of('Waits'), 'ann'), messenger_follow(test.id_of('Waits')),
  'once more changes nothing'
);
select is(
  messenger_cancel_message(test.id_of('Runs'), 'ann') -> 'cancelling', 'true', 'one that runs'
);
select is(
  messenger_heartbeat(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'ids', test.ids('Runs')
  ))) -> 'cancelled',
  test.ids('Runs'), 'its worker is told'
);
select is(
  array(
    select messenger_cancel_message(id, 'ann') ->> 'status'
    from unnest(array[test.id_of('Dead'), 900]) as i (id)
  ),
  array['failed', 'handled'], 'what is finished stays'
);
select is(
  messenger_cancel_message(test.id_of('Backend')) ->> 'status', 'cancelled', 'a backend cancels any'
);

select * from finish();
rollback;
