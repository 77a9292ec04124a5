-- A page has at most 4 MiB of payloads, but one schedule at least; next continues behind it.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (id, message_type, payload, schedule_type, cron, stamps)
select n, 'A', jsonb_build_object('text', repeat('x', case n when 1 then 8000000 else 1000000 end)),
  'cron', '@daily', '{"user":{"id":"ada"}}'
from generate_series(1, 7) as n;
create function pg_temp.page(after bigint, max integer default 100, out ids text, out next text)
language sql
as $$
  select string_agg(s ->> 'id', ' '), p ->> 'next'
  from messenger_list_user_schedules('ada', after, max) as p, jsonb_array_elements(p -> 'schedules') as s
  group by p
$$;
select is(pg_temp.page(0)::text, '(1,1)', 'one that is larger');
select is(pg_temp.page(1)::text, '("2 3 4 5",5)', 'as many as fit');
select is(pg_temp.page(5)::text, '("6 7",)', 'the last page');
select is(pg_temp.page(1, 2)::text, '("2 3",3)', 'or as many as are asked for');

select * from finish();
rollback;
