-- A share that is not used up is not wasted.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(50, 'large');
select test.dispatch_many(1, 'small');
create temp table claim as select test.claim(test.token(1), max_messages => 12) as answer;

select results_eq(
  $$select m ->> 'queue', count(*)
    from claim, jsonb_array_elements(answer -> 'messages') as m group by 1 order by 1$$,
  $$values ('large', 11::bigint), ('small', 1)$$,
  'the claim is full although two of its three queues had little or nothing'
);
select is(
  array(select k from claim, jsonb_object_keys(answer -> 'last_keys') as k), array['large'],
  'only the queue with more to give has a last key'
);

select * from finish();
rollback;
