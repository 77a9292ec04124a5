-- Of 20,000 messages, with and without statistics, and after the planner has settled on its plans.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(20000);
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(1))$$), '<', 1000::bigint,
  'without statistics'
);
analyze messenger_messages;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(2))$$), '<', 1000::bigint,
  'with statistics'
);
select test.claim(test.token(worker), 1) from generate_series(10, 30) as worker;
select cmp_ok(
  test.rows_read_by($$select test.claim(test.token(3))$$), '<', 1000::bigint,
  'with generic plans'
);

select * from finish();
rollback;
