-- 20,000 messages wait for tomorrow, in five priorities.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, priority, available_at)
select 'future', n % 5, messenger_now() + interval '1 day' from generate_series(1, 20000) as n;

select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(1))$$), '<', 100::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2))$$), '<', 100::bigint,
  'with statistics'
);

select * from finish();
rollback;
