-- A tick that has nothing to do waits for what falls due within its budget.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('later', priority => 9, delay => interval '2 minutes');
select messenger_dispatch('sooner', queue => 'mail', delay => interval '1 minute');
select is(
  test.claim(test.token(1)) ->> 'next_due_at', '2026-01-01T12:01:00+00:00',
  'the next of all queues'
);
select is(
  test.claim(test.token(1), queues => array['default']) ->> 'next_due_at',
  '2026-01-01T12:02:00+00:00',
  'the next of the queues it asks'
);
select test.dispatch('due');
select is(
  test.claim(test.token(1)) ->> 'next_due_at', null,
  'not asked for while there are messages to handle'
);

select * from finish();
rollback;
