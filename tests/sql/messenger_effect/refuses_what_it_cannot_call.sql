-- A wrong name or argument is told; nothing is stored of a function that fails.
begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
create table public.parents (id integer primary key);
create table public.children (parent integer references public.parents deferrable initially deferred);
create function public.f_one(a integer) returns integer language sql as 'select a';
create function public.f_two(a integer) returns integer language sql as 'select a';
create function public.f_two(a text) returns text language sql as 'select a';
create function public.f_hidden() returns integer language sql as 'select 1';
revoke execute on function public.f_hidden() from public;
create function public.f_large() returns text language sql as $$select string_agg(md5(i::text), '') from generate_series(1, 20000) i$$;
create function public.f_child() returns void language sql as 'insert into public.children values (1)';
create function public.f_conflict() returns void language plpgsql as $$begin raise sqlstate '40P02'; end$$;
create function pg_temp.effect(function text, args text default '{}') returns jsonb language sql as $$
  select messenger_effect(
    test.id_of('A'), test.token(1), 'null', jsonb_build_object('handler', 'h', 'name', function, 'key', args, 'nth', 1),
    function, args::jsonb
  )
$$;

select throws_ok(
  $$select pg_temp.effect('nothing')$$, 'PT400', 'function: there is no function public.nothing (was nothing)',
  'an unknown function'
);
select throws_ok(
  $$select pg_temp.effect('pg_sleep')$$, 'PT400', 'function: there is no function public.pg_sleep (was pg_sleep)',
  'a function of another schema'
);
select throws_ok(
  $$select pg_temp.effect('f_one', '{"a": 1, "b": 2}')$$, 'PT400',
  'args: no function public.f_one takes the arguments (a, b)', 'an argument too many'
);
select throws_ok(
  $$select pg_temp.effect('f_one')$$, 'PT400', 'args: no function public.f_one takes the arguments ()',
  'an argument is missing'
);
select throws_ok(
  $$select pg_temp.effect('f_one', '[1]')$$, 'PT400', 'args: has to be an object of arguments by name', 'no object'
);
select throws_ok(
  $$select pg_temp.effect('f_two', '{"a": 1}')$$, 'PT400',
  'function: several functions public.f_two take these arguments', 'two functions that only types tell apart'
);
select throws_ok(
  $$select pg_temp.effect('f_hidden')$$, 'PT400',
  'function: public.f_hidden may not be executed by service_role; grant execute to it', 'a function without a grant'
);
select throws_like(
  $$select pg_temp.effect('f_large')$$, 'result: has % bytes; has to have at most 262144', 'a result too large'
);
select throws_ok(
  $$select pg_temp.effect('f_child')$$, '23503', null, 'a deferred constraint is checked within the call'
);
select throws_ok(
  $$select pg_temp.effect('f_conflict')$$, 'PT503', null, 'a conflict with another transaction may pass later'
);

create table public.worked (n integer);
create function public.f_inexact() returns jsonb language sql as
  'insert into public.worked values (1); select jsonb_build_object(''id'', 1970670598291982290)';
select throws_like(
  $$select pg_temp.effect('f_inexact')$$, 'result.id: has to be a number that is kept exactly (was 1970670598291982290)%',
  'a result with a number that JavaScript would change'
);
select is((select count(*)::int from public.worked), 0, 'and its work is rolled back');
select * from finish();
rollback;
