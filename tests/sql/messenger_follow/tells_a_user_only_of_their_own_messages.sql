-- Whether it waits, is a dead letter or is handled: for others it does not exist.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue('[
  {"type":"Waits","stamps":{"user":{"id":"ann"}}}, {"type":"Backend"}
]');
select test.dead_letter('Dead', stamps => '{"user":{"id":"ann"}}');
insert into messenger_handled_messages
values (900, 'Done', 'default', 'ann', 1, messenger_now(), messenger_now(), 'infinity');
create temp table known as
  select id from unnest(array[test.id_of('Waits'), test.id_of('Dead'), 900]) as k (id);

select is(
  array(select messenger_follow(id, 'ann') ->> 'status' from known),
  array['pending', 'failed', 'handled'], 'the user who dispatched them'
);
select is(
  array(select messenger_follow(id, 'bob') from known), array[null, null, null]::jsonb[],
  'another user'
);
select is(
  array(select messenger_follow(id, '') from known), array[null, null, null]::jsonb[], 'no user''s id'
);
select is(
  array(select messenger_follow(id) ->> 'status' from known),
  array['pending', 'failed', 'handled'], 'a backend'
);
select is(messenger_follow(test.id_of('Backend'), 'ann'), null, 'what no user dispatched');
select is(messenger_follow(123456789), null, 'what never was');

select * from finish();
rollback;
