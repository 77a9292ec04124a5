-- Each id once, in the order of the question; the others are missing, all alike.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[
  {"type":"Anns","stamps":{"user":{"id":"ann"}}}, {"type":"Bobs","stamps":{"user":{"id":"bob"}}},
  {"type":"Backend"}
]');
select test.dead_letter('Dead', stamps => '{"user":{"id":"ann"}}');
insert into messenger_handled_messages
values
  (900, 'Done', 'default', 'ann', 1, messenger_now(), messenger_now(), 'infinity'),
  (901, 'Forgotten', 'default', 'ann', 1, messenger_now(), messenger_now(), messenger_now());
create temp table asked as
  select array[
    900, 901, test.id_of('Dead'), test.id_of('Bobs'), test.id_of('Anns'), 123456, test.id_of('Backend'), 900
  ] as ids;

select is(
  test.types(messenger_follow_all(ids, 'ann') -> 'messages'), array['Done', 'Dead', 'Anns'],
  'a user is told of their own, in the order of the ids'
) from asked;
select is(
  messenger_follow_all(ids, 'ann') -> 'missing',
  jsonb_build_array('901', ids[4]::text, '123456', ids[7]::text), 'the others are missing, all alike'
) from asked;
select is(
  test.types(messenger_follow_all(ids) -> 'messages'),
  array['Done', 'Dead', 'Bobs', 'Anns', 'Backend'], 'a backend is told of all'
) from asked;
select is(
  array(select m from asked, jsonb_array_elements(messenger_follow_all(ids) -> 'messages') as m),
  array(
    select messenger_follow(id) from asked, unnest(ids[:7]) with ordinality as i (id, place)
    where messenger_follow(id) is not null order by place
  ),
  'each as messenger_follow returns it'
);
select is(messenger_follow_all('{}', 'ann'), '{"messages":[],"missing":[]}', 'none of none');

select * from finish();
rollback;
