-- Messages, keys and what was counted: a refusal leaves all as it was.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

select is(
  jsonb_array_length(messenger_enqueue_limited(
    '[{"type":"A"},{"type":"A"}]', test.limit_of(2, 3, '1 hour')
  ) -> 'ids'),
  2, 'within the limit it enqueues'
);
select throws_ok(
  $$select messenger_enqueue_limited(
    '[{"type":"A","idempotency_key":"k"},{"type":"A"}]', test.limit_of(2, 3, '1 hour')
  )$$,
  'PT429', null, 'two do not fit where one would'
);
select is((select count(*) from messenger_messages), 2::bigint, 'no message of them is written');
select is_empty('select key from messenger.idempotency_keys', 'and no key');
select lives_ok(
  $$select messenger_enqueue_limited('[{"type":"A"}]', test.limit_of(1, 3, '1 hour'))$$,
  'what was refused is not counted: one still fits'
);

select * from finish();
rollback;
