-- The largest groups first.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dead_letter('A', error => 'no route', failed_at => '2026-01-01 10:00Z');
create temp table latest as select test.dead_letter('A', queue => 'b', error => 'no route') as id;
select test.dead_letter('A', error => 'timeout');
select test.dead_letter('B', reason => 'crashed', error => null, stamps => '{"redriven": 1}');
select results_eq(
  'select type, reason, error, number, first_at, last_at, queues, redriven from messenger_failures
    order by number desc, type, error',
  $$values
    ('A', 'exhausted', 'no route', 2::bigint, '2026-01-01 10:00Z'::timestamptz, '2026-01-01 12:00Z'::timestamptz,
      '{b,default}'::text[], 0::bigint),
    ('A', 'exhausted', 'timeout', 1, '2026-01-01 12:00Z', '2026-01-01 12:00Z', '{default}', 0),
    ('B', 'crashed', null, 1, '2026-01-01 12:00Z', '2026-01-01 12:00Z', '{default}', 1)$$,
  'each error of a type has a row'
);
select is((select latest_id from messenger_failures limit 1), (select id from latest), 'with the latest message');
select test.dead_letter('C', error => repeat('x', 600));
select is((select length(error) from messenger_failures where type = 'C'), 500, 'a long error is cut');

select * from finish();
rollback;
