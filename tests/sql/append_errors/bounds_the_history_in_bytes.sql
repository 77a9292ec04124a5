-- To some 64 KB: the first tells how it began, the latest how it stands; whatever stood there before.
begin;
select plan(9);

create function pg_temp.errors(first integer, last integer, length integer) returns jsonb
language sql
as $$
  select jsonb_agg(jsonb_build_object('message', n || ' ' || repeat('x', length)))
  from generate_series(first, last) as n
$$;
create function pg_temp.numbers(errors jsonb) returns text[]
language sql
as $$
  select array_agg(split_part(e ->> 'message', ' ', 1) order by position)
  from jsonb_array_elements(errors) with ordinality as t (e, position)
$$;

select cmp_ok(
  pg_column_size(messenger.append_errors(pg_temp.errors(1, 99, 6000), pg_temp.errors(100, 100, 6000))),
  '<', 70000, 'a history of 600 KB'
);
select is(
  pg_temp.numbers(messenger.append_errors(pg_temp.errors(1, 99, 6000), pg_temp.errors(100, 100, 6000))),
  array['1', '92', '93', '94', '95', '96', '97', '98', '99', '100'], 'the first and the latest stay'
);
select cmp_ok(
  pg_column_size(messenger.append_errors(null, pg_temp.errors(1, 1, 5000000))), '<', 3000,
  'an error of its own that is too large'
);
select is(
  length(messenger.append_errors(null, pg_temp.errors(1, 1, 5000000)) -> 0 ->> 'message'), 2000,
  'tells its beginning'
);
select is(messenger.append_errors('{"a":1}', '["b"]'), '[{"a":1},"b"]', 'an object');
select is(messenger.append_errors('5', '["b"]'), '[5,"b"]', 'a number');
select is(messenger.append_errors('null', '["b"]'), '["b"]', 'null');
select is(messenger.append_errors('["a"]', '5'), '["a"]', 'what is no list of errors');
select is(messenger.append_errors('{"a":1}', '{"b":1}'), '[{"a":1}]', 'nor are both');

select * from finish();
rollback;
