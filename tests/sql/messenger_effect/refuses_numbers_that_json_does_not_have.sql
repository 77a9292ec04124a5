-- NaN and infinity would be stored as text, which is another value.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A');
select test.claim(test.token(1));
create function public.f_number(n double precision) returns double precision language sql as 'select n';
create function public.f_numbers(n numeric) returns setof numeric language sql as 'values (1), (n)';
create function public.f_text(n numeric) returns text language sql as 'select n::text';
create function pg_temp.effect(function text, n text) returns jsonb language sql as $$
  select messenger_effect(
    test.id_of('A'), test.token(1), 'null', jsonb_build_object('handler', 'h', 'name', function, 'key', n, 'nth', 1),
    function, jsonb_build_object('n', n)
  )
$$;
select throws_ok($$select pg_temp.effect('f_number', 'NaN')$$, 'PT400',
  'result: is NaN or infinite, which JSON does not have; return it as text', 'a value');
select throws_ok($$select pg_temp.effect('f_numbers', 'Infinity')$$, 'PT400',
  'result: is NaN or infinite, which JSON does not have; return it as text', 'a set');
select is(pg_temp.effect('f_numbers', '2'), '{"result": [1, 2]}', 'numbers are returned');
select is(pg_temp.effect('f_text', 'NaN'), '{"result": "NaN"}', 'and so is text');
select * from finish();
rollback;
