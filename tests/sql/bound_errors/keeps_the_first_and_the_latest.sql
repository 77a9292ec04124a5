-- messenger.append_errors says the rest.
begin;
select plan(2);

select is(messenger.bound_errors('["a","b"]'), '["a","b"]', 'what fits stays');
select is(
  jsonb_array_length(messenger.bound_errors((select jsonb_agg(n) from generate_series(1, 500) as n))),
  100, 'a hundred at most'
);

select * from finish();
rollback;
