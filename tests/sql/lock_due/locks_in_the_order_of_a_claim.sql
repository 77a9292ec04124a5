-- Up to a number of messages, behind a key if one is given.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch('third', available_at => '2026-01-01 11:00Z');
select messenger_dispatch('second', priority => 1, available_at => '2026-01-01 12:00Z');
select messenger_dispatch('first', priority => 1, available_at => '2026-01-01 11:59Z');
select messenger_dispatch('other', priority => 9, queue => 'other');

select is(
  test.types_at(messenger.lock_due('default', 2)), array['first', 'second'],
  'the first two of one queue'
);
select is(
  test.types_at(messenger.lock_due(
    'default', 9, jsonb_build_array(1, '2026-01-01 11:59Z'::timestamptz, test.id_of('first')::text)
  )),
  array['second', 'third'], 'behind a key'
);
select is(messenger.lock_due('unheard.of', 9), array[]::tid[], 'nothing in an empty queue');

select * from finish();
rollback;
