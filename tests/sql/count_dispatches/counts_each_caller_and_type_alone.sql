-- One user's dispatches take nothing from another user's limit.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select messenger.count_dispatches(test.limit_of(1, 1, '1 minute'));
select throws_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 1, '1 minute'))$$, 'PT429', null, 'the same'
);
select lives_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 1, '1 minute', caller => 'user:bob'))$$,
  'another user'
);
select lives_ok(
  $$select messenger.count_dispatches(test.limit_of(1, 1, '1 minute', type => 'B'))$$,
  'another type'
);
select throws_ok(
  $$select messenger.count_dispatches(
    test.limit_of(1, 1, '1 minute', caller => 'user:eve') || test.limit_of(1, 1, '1 minute')
  )$$,
  'PT429', null, 'one limit that is reached refuses all'
);

select * from finish();
rollback;
