-- Settled in one call or in several, under one entry of a token or more.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.open() returns text[] language sql as $$
  select array(select right(token::text, 1) || ':' || open from messenger.leases order by 1)
$$;
create function pg_temp.entry(worker integer, variadic types text[]) returns jsonb
language sql as $$
  select jsonb_build_object('token', test.token(worker), 'handled', test.ids(variadic types))
$$;

select test.dispatch('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H');
select test.claim(test.token(worker), 2) from generate_series(1, 4) as worker;
select is(pg_temp.open(), array['1:2', '2:2', '3:2', '4:2'], 'as the claims have left them');
select messenger_settle(jsonb_build_array(pg_temp.entry(1, 'A', 'B')));
select is(pg_temp.open(), array['2:2', '3:2', '4:2'], 'all at once');
select messenger_settle(jsonb_build_array(pg_temp.entry(2, 'C')));
select is(pg_temp.open(), array['2:1', '3:2', '4:2'], 'not before the last');
select messenger_settle(jsonb_build_array(
  pg_temp.entry(3, 'E'), pg_temp.entry(2, 'D'), pg_temp.entry(4, 'G'), pg_temp.entry(3, 'F')
));
select is(pg_temp.open(), array['4:1'], 'several leases in a call, one in two entries');
select messenger_settle_and_claim(jsonb_build_array(pg_temp.entry(4, 'H')), test.token(4));
select is_empty('select * from messenger.leases', 'in a call that claims with the same token');

select * from finish();
rollback;
