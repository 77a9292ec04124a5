-- A reserved id belongs to the message that is written with it later, and to no other.
begin;
select plan(6);

select is(jsonb_array_length(messenger_reserve_ids(3) -> 'ids'), 3, 'as many ids as were asked for');
select results_eq(
  $$with reserved as (
    select (id #>> '{}')::bigint as id, n from jsonb_array_elements(messenger_reserve_ids(5) -> 'ids')
      with ordinality as r (id, n)
  )
  select bool_and(id = first + n - 1) from (select *, min(id) over () as first from reserved) as r$$,
  'values (true)', 'they ascend'
);
select ok(
  (messenger_reserve_ids(1) #>> '{ids,0}')::bigint < messenger_dispatch('A'),
  'no dispatch gets an id that is reserved'
);
select throws_ok(
  'select messenger_reserve_ids(0)', 'PT400', 'number: has to be from 1 to 1000 (was 0)', 'none'
);
select throws_ok(
  'select messenger_reserve_ids(1001)', 'PT400', 'number: has to be from 1 to 1000 (was 1001)', 'too many'
);
select throws_ok(
  'select messenger_reserve_ids(null)', 'PT400', 'number: has to be from 1 to 1000 (was null)', 'no number'
);

select * from finish();
rollback;
