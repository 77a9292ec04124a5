begin;
select plan(5);
insert into messenger_messages (type, available_at) values ('A', '2998-01-01Z'), ('B', '2999-01-01Z'), ('C', '2998-01-01Z');
insert into messenger.waits (event, message_id) values
  ('x', test.id_of('A')), ('y', test.id_of('A')), ('x', test.id_of('B')), ('z', test.id_of('C')), ('x', 999999999);

select is(test.types(messenger_list_waiting() -> 'messages'), array['C', 'B', 'A'], 'the latest first');
select is(test.types(messenger_list_waiting(event => 'x') -> 'messages'), array['B', 'A'], 'for a key');
select is(
  (select jsonb_agg(jsonb_build_array(m -> 'events', m -> 'until')) from jsonb_array_elements(messenger_list_waiting(event => 'x') -> 'messages') as m),
  '[[["x"], "2999-01-01T00:00:00+00:00"], [["x", "y"], "2998-01-01T00:00:00+00:00"]]', 'with all their keys, and until when'
);
select is(
  test.types(messenger_list_waiting(before_id => test.id_of('C'), max_messages => 1) -> 'messages'), array['B'],
  'a page'
);
select is(messenger_list_waiting(event => 'nothing'), '{"messages":[],"next":null}', 'none');

select * from finish();
rollback;
