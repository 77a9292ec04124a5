-- More than come in, so that the table keeps to the latest 10,000.
begin;
select plan(2);
-- A plan under which a subquery's limit would apply to each row separately; some statistics lead to it.
set local enable_hashjoin = off;
set local enable_mergejoin = off;
set local enable_hashagg = off;
set local enable_sort = off;
set local enable_material = off;
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_ticks (id, rested_at, ended_at)
overriding system value
select n, now(), now() from generate_series(1, 15) as n;
select setval('messenger_ticks_id_seq', 10012);
select messenger_start_tick();
select is((select min(id) from messenger_ticks), 11::bigint, 'ten of thirteen');
select messenger_start_tick();
select is((select min(id) from messenger_ticks), 15::bigint, 'then the rest, and no more');

select * from finish();
rollback;
