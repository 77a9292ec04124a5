-- By name, as one calls it from SQL.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch(
  'full', '[1, 2]', available_at => '2026-01-05 08:30+02', queue => 'mail.high', priority => -1000,
  group_key => 'customer 7', ttl => interval '7 days'
);
select results_eq(
  $$select payload, queue collate "default", priority, available_at, expires_at, group_key collate "default" from messenger_messages$$,
  $$values ('[1, 2]'::jsonb, 'mail.high', (-1000)::smallint, '2026-01-05 06:30Z'::timestamptz,
    '2026-01-08 12:00Z'::timestamptz, 'customer 7')$$,
  'each stands in its column'
);
select is(
  messenger_dispatch('again', idempotency_key => 'k'),
  messenger_dispatch('again', idempotency_key => 'k'),
  'an idempotency key returns its first id'
);

select * from finish();
rollback;
