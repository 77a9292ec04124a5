-- 50,000 messages run, 200 of them with a lapsed lease.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, status, lease_token, leased_until)
select 'Bulk', 'processing', test.token(1),
  messenger_now() + case when n <= 200 then -1 else 1 end * interval '1 minute'
from generate_series(1, 50000) as n;

select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2))$$), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(3))$$), '<', 1000::bigint,
  'with statistics'
);

select * from finish();
rollback;
