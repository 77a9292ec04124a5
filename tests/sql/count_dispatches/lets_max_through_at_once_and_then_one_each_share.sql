-- Three within a minute: three at once, the fourth after 20 seconds, and never more than that.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

select lives_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute')) from generate_series(1, 3)$$,
  'three at once'
);
select throws_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute'))$$,
  'PT429', 'type: too many messages of the type A', 'the fourth is refused'
);
select test.set_clock('2026-01-01 12:00:19.999Z');
select throws_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute'))$$,
  'PT429', null, 'until a share of the minute is over'
);
select test.set_clock('2026-01-01 12:00:20Z');
select lives_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute'))$$, 'then one passes'
);
select throws_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute'))$$,
  'PT429', null, 'and no second one'
);
select test.set_clock('2026-01-01 13:00Z');
select lives_ok(
  $$select messenger.count_dispatches(test.limit_of(3, 3, '1 minute'))$$,
  'after a pause the whole allowance is there'
);
select throws_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 3, '1 minute'))$$,
  'PT429', null, 'and no more than that'
);

select * from finish();
rollback;
