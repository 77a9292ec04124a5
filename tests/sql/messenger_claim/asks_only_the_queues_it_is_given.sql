-- A worker may be kept to some queues.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('A', queue => 'mail');
select messenger_dispatch('B', queue => 'hooks');
select messenger_dispatch('C', queue => 'imports');

select is(
  test.types(test.claim(test.token(1), queues => array['mail', 'hooks', 'unheard.of'])
    -> 'messages'),
  array['A', 'B'],
  'a queue without messages is no error'
);
select is(
  test.claim(test.token(2), queues => array[]::text[]) -> 'messages', '[]',
  'no queue, no message'
);

select * from finish();
rollback;
