-- Values, rows, sets and void, by named arguments of any type.
begin;
select plan(8);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
create type public.point_of_sale as (shop text, till integer);
create function public.f_value(a integer, b numeric default 2) returns numeric language sql as 'select a * b';
create function public.f_null() returns text language sql as 'select null::text';
create function public.f_row(p public.point_of_sale) returns public.point_of_sale language sql as 'select p';
create function public.f_set(items text[]) returns setof text language sql as 'select unnest(items)';
create function public.f_table(number integer) returns table (n integer, even boolean) language sql
  as 'select i, i % 2 = 0 from generate_series(1, number) as i';
create function public.f_out(a integer, out twice integer, out thrice integer) language sql as 'select a * 2, a * 3';
create function public.f_void(j jsonb, t timestamptz) returns void language plpgsql as 'begin perform 1; end';
create function pg_temp.effect(function text, args text default '{}') returns jsonb language sql as $$
  select messenger_effect(
    test.id_of('A'), test.token(1), 'null', jsonb_build_object('handler', 'h', 'name', function, 'key', args, 'nth', 1),
    function, args::jsonb
  )
$$;

select is(pg_temp.effect('f_value', '{"a": 3}'), '{"result": 6}', 'a value, with an argument''s default');
select is(pg_temp.effect('f_value', '{"b": 1.5, "a": 3}'), '{"result": 4.5}', 'the order of arguments does not matter');
select is(pg_temp.effect('f_null'), '{"result": null}', 'null');
select is(
  pg_temp.effect('f_row', '{"p": {"till": 2, "shop": "main"}}'),
  '{"result": {"shop": "main", "till": 2}}', 'a row'
);
select is(pg_temp.effect('f_set', '{"items": ["a", "b"]}'), '{"result": ["a", "b"]}', 'a set of values');
select is(
  pg_temp.effect('f_table', '{"number": 2}'),
  '{"result": [{"n": 1, "even": false}, {"n": 2, "even": true}]}', 'a table'
);
select is(pg_temp.effect('f_out', '{"a": 2}'), '{"result": {"twice": 4, "thrice": 6}}', 'output arguments');
select is(pg_temp.effect('f_void', '{"j": {"x": [1]}, "t": "2026-01-01"}'), '{}', 'void has no result');

select * from finish();
rollback;
