-- Each of them is small enough, and all of them together are not; also within rate limits.
begin;
select plan(4);

create temp table large as
select jsonb_agg(jsonb_build_object('type', 'A', 'payload', repeat('x', 4000000))) as body
from generate_series(1, 17);
select throws_like(
  'select messenger_enqueue_body((select body || ''[]'' from large))',
  'messages: have 68______ bytes together; a call takes at most 67108864%', 'the sum'
);
select throws_ok(
  'select messenger_enqueue_body((select body || ''[]'' from large))', 'PT413', null, 'as too large'
);
select throws_ok(
  'select messenger_enqueue_limited((select body || ''[]'' from large), ''[]'')', 'PT413', null, 'within limits'
);
select is((select count(*) from messenger_messages), 0::bigint, 'nothing is written');

select * from finish();
rollback;
