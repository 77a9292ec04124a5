begin;
select plan(4);
select messenger_dispatch_batch('[]', name) from unnest(array['a', 'b', 'a']) as n (name);
create function pg_temp.names(answer jsonb) returns text[] language sql as $$
  select array(select b ->> 'name' from jsonb_array_elements(answer -> 'batches') as b)
$$;
select is(pg_temp.names(messenger_list_batches()), '{a,b,a}', 'all');
select is(pg_temp.names(messenger_list_batches(max_batches => 2)), '{a,b}', 'a page');
select is(
  pg_temp.names(messenger_list_batches(before_id => (messenger_list_batches(max_batches => 2) ->> 'next')::bigint)),
  '{a}', 'and the next one'
);
select is(jsonb_array_length(messenger_list_batches(name => 'a') -> 'batches'), 2, 'those of a name');
select * from finish();
rollback;
