-- The example of the function's comment.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select is(
  messenger_dispatch('EmailMessage', '{"to":"a@b.c"}', delay => interval '5 minutes'),
  test.id_of('EmailMessage'),
  'the id is the answer'
);
select results_eq(
  $$select payload, queue collate "default", priority, available_at from messenger_messages$$,
  $$values ('{"to":"a@b.c"}'::jsonb, 'default', 0::smallint, '2026-01-01 12:05Z'::timestamptz)$$,
  'the message waits for its delay'
);

select * from finish();
rollback;
