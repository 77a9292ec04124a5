-- Within a lane the order is that of a queue: priority, due time, id.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('Later', queue => 'reports', lane => 'a', delay => interval '1 hour', priority => 9),
  messenger_dispatch('Low', queue => 'reports', lane => 'a', priority => -1),
  messenger_dispatch('First', queue => 'reports', lane => 'a', priority => 3),
  messenger_dispatch('Second', queue => 'reports', lane => 'a', priority => 3),
  messenger_dispatch('Other', queue => 'reports', lane => 'b');
select is(
  test.types(test.claim(test.token(1), 2) -> 'messages'), array['First', 'Other'], 'one of each lane'
);
select is(
  test.types(test.claim(test.token(2), 9) -> 'messages'), array['Second', 'Low'],
  'lower priorities follow, and what falls due later is left'
);
select is(
  (test.claim(test.token(3)) ->> 'next_due_at')::timestamptz, '2026-01-01 13:00Z'::timestamptz, 'until it is due'
);

select * from finish();
rollback;
