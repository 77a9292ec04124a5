-- Part of a claim, whose tests say the rest.
begin;
select plan(4);

insert into messenger_messages (type, payload)
select 'A', jsonb_build_object('text', repeat('x', 100000 * n)) from generate_series(1, 4) as n;
create function pg_temp.fitting(bytes bigint, one boolean) returns integer
language sql
as $$
  select f.fitting from messenger.fit_bytes(
    (select array_agg(m.ctid order by m.id) from messenger_messages m), bytes, one
  ) as f
$$;

select is(pg_temp.fitting(310000, true), 2, 'those before the one that is too many');
select is(pg_temp.fitting(2000000, true), 4, 'all');
select is(pg_temp.fitting(10, true), 1, 'one in any case');
select is(pg_temp.fitting(10, false), 0, 'or none');

select * from finish();
rollback;
