-- A queue with a large backlog, however urgent, does not starve the others.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(50, 'large');
update messenger_messages set priority = 1000 where queue = 'large';
select test.dispatch_many(50, 'small');

select results_eq(
  $$select m ->> 'queue', count(*)
    from jsonb_array_elements(
      test.claim(test.token(1), max_messages => 10, queues => array['large', 'small'])
        -> 'messages'
    ) as m group by 1 order by 1$$,
  $$values ('large', 5::bigint), ('small', 5)$$,
  'half of the claim is each queue''s'
);

select * from finish();
rollback;
