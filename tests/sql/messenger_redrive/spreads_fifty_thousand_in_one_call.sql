-- At 500 a second they come due over 100 seconds.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', 'default', 'exhausted', messenger_now(), messenger_now()
from generate_series(1, 50000) as n;
select is(
  messenger_redrive(type => 'Bulk', per_second => 500), '{"matched":50000,"redriven":50000}',
  'all are redriven'
);
select results_eq(
  $$select count(*), min(number), max(number)
    from (
      select count(*) as number from messenger_messages
      group by date_trunc('second', available_at)
    ) as seconds$$,
  $$values (100::bigint, 500::bigint, 500::bigint)$$,
  '500 in each of 100 seconds'
);

select * from finish();
rollback;
