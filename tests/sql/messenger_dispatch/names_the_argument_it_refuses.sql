-- An error that a person at the SQL editor can act on, and no row.
begin;
select plan(23);
select test.set_clock('2026-01-01 12:00Z');

select throws_ok(
  $$select messenger_dispatch(null)$$,
  'PT400', 'type: has to be a name of 1 to 200 characters', 'no type'
);
select throws_ok(
  $$select messenger_dispatch('')$$,
  'PT400', 'type: has to be a name of 1 to 200 characters', 'an empty type'
);
select throws_ok(
  $$select messenger_dispatch(repeat('x', 201))$$,
  'PT400', 'type: has to be a name of 1 to 200 characters', 'a type that is too long'
);
select throws_ok(
  $$select messenger_dispatch('A', queue => null)$$,
  'PT400', 'queue: has to be 1 to 100 letters, digits or _ . : -', 'no queue'
);
select throws_ok(
  $$select messenger_dispatch('A', queue => 'two words')$$,
  'PT400', 'queue: has to be 1 to 100 letters, digits or _ . : -', 'a queue with a space'
);
select throws_ok(
  $$select messenger_dispatch('A', priority => 1001)$$,
  'PT400', 'priority: has to be from -1000 to 1000', 'a priority that is too high'
);
select throws_ok(
  $$select messenger_dispatch('A', priority => null)$$,
  'PT400', 'priority: has to be from -1000 to 1000', 'no priority'
);
select throws_ok(
  $$select messenger_dispatch('A', delay => interval '-1 second')$$,
  'PT400', 'delay: has to be zero or more', 'a delay into the past'
);
select throws_ok(
  format('select messenger_dispatch(''A'', available_at => %L)', at),
  'PT400', 'available_at: has to be a moment in the years 1 to 9999', at || ' as the due time'
) from unnest(array['infinity', '-infinity', '10000-01-01', '0044-03-15 BC']) as at;
select throws_ok(
  format('select messenger_dispatch(''A'', dedupe_key => ''k'', %s => interval ''1000000 years'')', argument),
  'PT400', argument || ': has to be at most 100 years', argument || ' beyond what a moment can be'
) from unnest(array['delay', 'ttl', 'dedupe_window']) as argument;
select throws_ok(
  $$select messenger_dispatch('A', delay => interval '1 second', available_at => now())$$,
  'PT400', 'delay: give either delay or available_at, not both', 'a delay and a due time'
);
select throws_ok(
  $$select messenger_dispatch('A', ttl => interval '0')$$,
  'PT400', 'ttl: has to be more than zero', 'no time to live'
);
select throws_ok(
  $$select messenger_dispatch('A', idempotency_key => '')$$,
  'PT400', 'idempotency_key: has to be 1 to 255 characters', 'an empty idempotency key'
);
select throws_ok(
  $$select messenger_dispatch('A', idempotency_key => repeat('x', 256))$$,
  'PT400', 'idempotency_key: has to be 1 to 255 characters', 'an idempotency key that is too long'
);
select throws_ok(
  $$select messenger_dispatch('A', group_key => '')$$,
  'PT400', 'group_key: has to be 1 to 255 characters', 'an empty group key'
);
select throws_ok(
  $$select messenger_dispatch('A', group_key => repeat('x', 256))$$,
  'PT400', 'group_key: has to be 1 to 255 characters', 'a group key that is too long'
);
select lives_ok(
  $$select messenger_dispatch(
      repeat('x', 200), queue => repeat('q', 100), priority => 1000, delay => interval '0',
      idempotency_key => repeat('k', 255), group_key => repeat('g', 255)
    )$$,
  'the bounds themselves are fine'
);
select is((select count(*) from messenger_messages), 1::bigint, 'what was refused left no row');

select * from finish();
rollback;
