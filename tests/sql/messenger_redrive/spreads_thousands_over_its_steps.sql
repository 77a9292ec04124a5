-- At 500 a second they come due over 50 seconds, over however many steps it takes.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'Bulk', '{}', 'default', 'exhausted', messenger_now(), messenger_now()
from generate_series(1, 25000) as n;
analyze messenger_failed_messages;

create function pg_temp.steps() returns setof jsonb
language plpgsql
as $$
declare
  answer jsonb;
begin
  loop
    answer := messenger_redrive(type => 'Bulk', per_second => 500, after => answer -> 'next');
    return next answer;
    -- A later step is a later transaction.
    perform test.set_clock(messenger_now() + interval '3 seconds');
    exit when answer -> 'next' = 'null';
  end loop;
end
$$;
create temp table steps as select row_number() over () as number, s as answer from pg_temp.steps() as s;
select is((select sum((answer -> 'done')::integer) from steps), 25000::bigint, 'all are redriven');
select cmp_ok(
  (select max((answer -> 'done')::integer) from steps), '<=', 10000, 'at most 10,000 in a step'
);
select is(
  (select answer -> 'left' from steps where number = 1), '{"count":10000,"capped":true}',
  'a step tells how many remain, up to 10,000'
);
select results_eq(
  $$select count(*), min(number), max(number)
    from (
      select count(*) as number from messenger_messages
      group by date_trunc('second', available_at)
    ) as seconds$$,
  $$values (50::bigint, 500::bigint, 500::bigint)$$,
  '500 in each of 50 seconds'
);

select * from finish();
rollback;
