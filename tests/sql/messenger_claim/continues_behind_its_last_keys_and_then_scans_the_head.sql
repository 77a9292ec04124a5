-- A drain does not read its deleted rows again; after a claim that returns too few, the next starts at the head.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('first', 'second', 'third');
create temp table first as select test.claim(test.token(1), max_messages => 2) as answer;
select is(
  (select answer -> 'last_keys' -> 'default' from first),
  jsonb_build_array(0, messenger_now(), test.id_of('second')::text),
  'the last key is priority, due time and id of the last message'
);
-- Both stand in front of the key again, as a released or an urgent new message does.
select messenger_settle(jsonb_build_array(jsonb_build_object(
  'token', test.token(1), 'released', test.ids('first', 'second')
)));

create temp table second as select test.claim(
  test.token(2), max_messages => 2, last_keys => (select answer -> 'last_keys' from first)
) as answer;
select is(
  (select test.types(answer -> 'messages') from second), array['third'],
  'the next claim continues behind the key'
);
select is(
  test.types(test.claim(
    test.token(3), last_keys => (select answer -> 'last_keys' from second)
  ) -> 'messages'),
  array['first', 'second'],
  'the one after the short claim begins at the front'
);

select * from finish();
rollback;
