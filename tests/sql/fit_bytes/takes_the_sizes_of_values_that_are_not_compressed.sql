-- Their sizes are known without a measurement, however many there are.
begin;
select plan(2);

insert into messenger_messages (type, payload, stamps)
select 'A', jsonb_build_object('text', md5(n::text) || md5('a' || n)), '{"batch":{"id":"1","nth":1}}'
from generate_series(1, 2000) as n;
create function pg_temp.fit(bytes bigint) returns setof record
language sql
as $$
  select f.fitting, f.bytes = (select sum(pg_column_size(m.payload) + pg_column_size(m.stamps)) from messenger_messages m)
  from messenger.fit_bytes((select array_agg(m.ctid order by m.id) from messenger_messages m), bytes, true) as f
$$;
select results_eq('select * from pg_temp.fit(1000000) as (fitting integer, exact boolean)', 'values (2000, true)', 'all fit, with their exact size');
select results_eq('select * from pg_temp.fit(1000) as (fitting integer, exact boolean)', 'values (7, false)', 'or as many as fit');

select * from finish();
rollback;
