-- A page of messages that cannot be rescued never stands in front of the others.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(140, type => 'late');
select test.claim(test.token(1), 140, lease_ms => 2000);
select test.dispatch_many(10, type => 'early');
select test.claim(test.token(2), lease_ms => 1000);
select test.set_clock('2026-01-01 12:05Z');
select test.dispatch_many(3, type => 'waiting');

create temp table first as select test.claim(test.token(3)) as answer;
select results_eq(
  $$select type, count(*) from first, unnest(test.types(answer -> 'crashed')) as t (type)
    group by 1 order by 1$$,
  $$values ('early', 10::bigint), ('late', 90)$$,
  'the leases that ended first'
);
select is(
  (select jsonb_array_length(answer -> 'messages') from first), 3, 'beside them what is due'
);
select is(
  jsonb_array_length(test.claim(test.token(4)) -> 'crashed'), 50, 'the others come next'
);
select is(
  jsonb_array_length(test.claim(test.token(5)) -> 'crashed'), 0,
  'and none is swept a second time while the first sweep''s lease runs'
);

select * from finish();
rollback;
