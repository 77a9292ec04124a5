-- A message may be named by several leases, or more than once by one.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A', 'B');
select test.claim(test.token(1));
select test.claim(test.token(1), repeated => true);
select is(
  test.types(messenger_list_messages(status => 'processing') -> 'messages'), array['B', 'A'],
  'after a call that was repeated'
);
select is(
  messenger_list_queues(name => 'default') #> '{queues,0,processing,count}', '2', 'and counted once'
);

select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'released', test.ids('A')
)));
select test.claim(test.token(2));
select is(
  test.types(messenger_list_messages(status => 'processing') -> 'messages'), array['B', 'A'],
  'claimed again by another'
);
select is(
  test.types(
    messenger_list_messages(status => 'processing', before_id => test.id_of('B')) -> 'messages'
  ),
  array['A'], 'a page at a time'
);

select * from finish();
rollback;
