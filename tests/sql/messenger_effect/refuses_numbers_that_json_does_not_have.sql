-- NaN and infinity would be stored as text, which is another value.
begin;
select plan(11);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('A');
select test.claim(test.token(1));
create function public.f_number(n double precision) returns double precision language sql as 'select n';
create function public.f_numbers(n numeric) returns setof numeric language sql as 'values (1), (n)';
create function public.f_text(n numeric) returns text language sql as 'select n::text';
create domain public.price as numeric;
create type public.line as (name text, price public.price, sizes real[]);
create function public.f_line(n numeric) returns public.line
  language sql as $$select row('NaN', n, '{1}')::public.line$$;
create function public.f_sizes(n real) returns public.line
  language sql as $$select row('a', 1, array[[1, 2], [3, n]])::public.line$$;
create function public.f_table(n float8) returns table (name text, total float8)
  language sql as $$values ('a', 1), ('b', n)$$;
create function public.f_out(n float8, out name text, out total float8)
  language sql as $$select 'Infinity', n$$;
create function public.f_lines(n numeric) returns public.line[]
  language sql as $$select array[row('a', n, null)::public.line]$$;
create function pg_temp.effect(function text, n text) returns jsonb language sql as $$
  select messenger_effect(
    test.id_of('A'), test.token(1), 'null', jsonb_build_object('handler', 'h', 'name', function, 'key', n, 'nth', 1),
    function, jsonb_build_object('n', n)
  )
$$;
select throws_ok($$select pg_temp.effect('f_number', 'NaN')$$, 'PT400',
  'result: is NaN or infinite, which JSON does not have; return it as text', 'a value');
select throws_ok($$select pg_temp.effect('f_numbers', 'Infinity')$$, 'PT400',
  'result.1: is NaN or infinite, which JSON does not have; return it as text', 'a set');
select is(pg_temp.effect('f_numbers', '2'), '{"result": [1, 2]}', 'numbers are returned');
select is(pg_temp.effect('f_text', 'NaN'), '{"result": "NaN"}', 'and so is text');
select throws_ok($$select pg_temp.effect('f_line', 'NaN')$$, 'PT400',
  'result.price: is NaN or infinite, which JSON does not have; return it as text', 'a column of a row, by its domain');
select throws_ok($$select pg_temp.effect('f_sizes', '-Infinity')$$, 'PT400',
  'result.sizes.1.1: is NaN or infinite, which JSON does not have; return it as text', 'an array in a row');
select throws_ok($$select pg_temp.effect('f_table', 'NaN')$$, 'PT400',
  'result.1.total: is NaN or infinite, which JSON does not have; return it as text', 'a column of a table');
select throws_ok($$select pg_temp.effect('f_out', 'NaN')$$, 'PT400',
  'result.total: is NaN or infinite, which JSON does not have; return it as text', 'an argument that is returned');
select throws_ok($$select pg_temp.effect('f_lines', 'NaN')$$, 'PT400',
  'result.0.price: is NaN or infinite, which JSON does not have; return it as text', 'an array of rows');
select is(pg_temp.effect('f_line', '2'), '{"result": {"name": "NaN", "price": 2, "sizes": [1]}}',
  'a text in a row may be any');
select is(pg_temp.effect('f_out', '2'), '{"result": {"name": "Infinity", "total": 2}}', 'also of a record');
select * from finish();
rollback;
