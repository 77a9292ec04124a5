-- 20,000 messages are blocked behind one that runs, with and without statistics.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, group_key, blocked, available_at)
select case n when 1 then 'first' else 'A' end, 'g', n > 1, messenger_now() - interval '1 hour'
from generate_series(1, 20000) as n;
select is(test.claimed(1), array['first'], 'the first runs');
select messenger_dispatch('late', group_key => 'g');
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2))$$), '<', 100::bigint,
  'a claim, without statistics'
);
analyze messenger_messages;
select messenger_dispatch('later', group_key => 'g');
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(3))$$), '<', 100::bigint,
  'and with statistics'
);
select cmp_ok(
  test.rows_read_by($$select test.handle(1, 'first')$$) - 20001, '<', 100::bigint,
  'as does the end of the first'
);

select * from finish();
rollback;
