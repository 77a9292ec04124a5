-- A user's cancel is judged by the types of the members.
begin;
select plan(2);
select messenger_write_batch('{"name": "b"}', (
  select jsonb_agg(jsonb_build_object('type', 'T' || n)) from generate_series(1, 900) as n
));
select is((select cardinality(types) from messenger_batches), 900, 'each distinct type is kept');
select messenger_write_batch('{"name": "c", "idempotency_key": "k"}', (
  select jsonb_agg(jsonb_build_object('type', 'T' || n)) from generate_series(1, 900) as n
), 1, false);
select messenger_write_batch('{"name": "c", "idempotency_key": "k"}', (
  select jsonb_agg(jsonb_build_object('type', 'U' || n)) from generate_series(1, 900) as n
), 2);
select is((select cardinality(types) from messenger_batches where name = 'c'), 1000, 'up to a bound');
select * from finish();
rollback;
