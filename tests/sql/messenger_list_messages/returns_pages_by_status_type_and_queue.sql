begin;
select plan(7);
select test.dispatch('A', 'B', 'A');
insert into messenger_messages (type, queue, payload, errors)
values ('B', 'q', '{"secret":1}', '[{"message":"late"}]');
select test.claim(test.token(1), queues => array['q']);

select is(
  test.types(messenger_list_messages() -> 'messages'), array['B', 'A', 'B', 'A'],
  'the latest first'
);
select is(
  test.types(messenger_list_messages(type => 'A') -> 'messages'), array['A', 'A'], 'by type'
);
select is(messenger_list_messages(queue => 'q') #>> '{messages,0,error}', 'late', 'by queue');
select is(
  jsonb_path_query_array(messenger_list_messages(status => 'processing'), '$.messages[*].queue'),
  '["q"]', 'running'
);
select is(
  jsonb_array_length(messenger_list_messages(status => 'pending') -> 'messages'), 3, 'waiting'
);
select is(
  test.types(
    messenger_list_messages(
      before_id => (messenger_list_messages(max_messages => 2) ->> 'next')::bigint
    ) -> 'messages'
  ),
  array['B', 'A'], 'the next page'
);
select ok(
  not (
    messenger_list_messages() #> '{messages,0}'
    ?| array['payload', 'stamps', 'errors', 'lease_token']
  ),
  'without payloads, and without the fence of a lease'
);

select * from finish();
rollback;
