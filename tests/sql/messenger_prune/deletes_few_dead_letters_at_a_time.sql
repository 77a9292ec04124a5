-- They may have 8 MB each: a thousand of them in one statement met the time limit of its call, at each try.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
select n, 'A', '{}', 'default', 'exhausted', messenger_now(), messenger_now() - interval '60 days'
from generate_series(1, 250) as n;
create temp table statements (number bigint);
create function pg_temp.note() returns trigger language plpgsql as $$
begin
  insert into pg_temp.statements select count(*) from gone;
  return null;
end
$$;
create trigger note after delete on messenger_failed_messages referencing old table as gone
  for each statement execute function pg_temp.note();

select is((messenger_prune() ->> 'failed')::integer, 250, 'all that are old go');
select results_eq('select number from statements order by 1', 'values (50::bigint), (100), (100)', 'bit by bit');

select * from finish();
rollback;
