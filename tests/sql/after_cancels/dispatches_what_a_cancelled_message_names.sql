begin;
select plan(4);
select messenger_enqueue('[
  {"type":"A","stamps":{"onCancelled":{"type":"Undo","payload":{"n":1}}}},
  {"type":"B","stamps":{"onCancelled":{"payload":1}}}, {"type":"C","stamps":{"onCancelled":"no message"}},
  {"type":"D","stamps":{"onCancelled":{"type":"Undo","payload":{"n":4}}}}
]');
select test.claim(test.token(1), 1);
select lives_ok($$select messenger_cancel(ids => array[test.id_of('B'), test.id_of('C'), test.id_of('D')])$$, 'a cancel succeeds whatever the stamp is');
select is(array(select payload from messenger_messages where type = 'Undo'), array['{"n":4}']::jsonb[], 'and dispatches a message');
select messenger_cancel(type => 'A');
select is((select count(*) from messenger_messages where type = 'Undo'), 1::bigint, 'a message that runs is not cancelled yet');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'dead', jsonb_build_array(jsonb_build_object('id', test.id_of('A'), 'reason', 'cancelled')))));
select is(array(select payload from messenger_messages where type = 'Undo' order by id), array['{"n":4}', '{"n":1}']::jsonb[], 'its worker does it');
select * from finish();
rollback;
