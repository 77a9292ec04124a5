-- 100,000 messages, most of them blocked, with and without statistics.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key, blocked)
select 'A', 'g', n > 50000 from generate_series(1, 100000) as n;
select cmp_ok(
  test.rows_read_by($$select * from messenger.group_fronts('{default}', '{g}')$$), '<', 10::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select * from messenger.group_fronts('{default}', '{g}')$$), '<', 10::bigint,
  'with statistics'
);

select * from finish();
rollback;
