-- For the worker: which queues have a rate, and how long its shortest lease lasts.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select is(
  test.claim(test.token(1)) @> '{"rated":[],"lease_ms":60000}', true, 'none without settings'
);
insert into messenger_queues (name, rate_limit, lease_ms) values
  ('slow', 1, null), ('quick', null, 5000), ('long', null, 90000);
select is(
  test.claim(test.token(6)) @> '{"rated":[],"lease_ms":60000}', true, 'nor where nothing waits there'
);
select messenger_dispatch('D', queue => 'slow'), messenger_dispatch('E', queue => 'quick');
select is(
  test.claim(test.token(2)) @> '{"rated":["slow"],"lease_ms":5000}', true,
  'of the queues that it found messages in'
);
delete from messenger_messages where true;
select is(
  test.claim(test.token(3), queues => array['long']) @> '{"rated":[],"lease_ms":60000}', true,
  'no others'
);
select messenger_dispatch('A', queue => 'quick'), messenger_dispatch('B', queue => 'long'),
  messenger_dispatch('C');
select test.claimed(4);
select results_eq(
  'select type, leased_until from messenger_messages order by 1',
  $$values ('A', '2026-01-01 12:00:05Z'::timestamptz), ('B', '2026-01-01 12:01:30Z'),
    ('C', '2026-01-01 12:01Z')$$,
  'each message has the lease of its queue'
);
select is(
  test.claim(test.token(5), queues => array['unheard.of']) @> '{"rated":[],"messages":[]}', true,
  'a claim without queues'
);

select * from finish();
rollback;
