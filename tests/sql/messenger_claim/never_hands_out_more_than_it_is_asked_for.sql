-- Fewer places than queues: some queues have to wait for the next claim.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch_many(9, 'a'), test.dispatch_many(9, 'b'), test.dispatch_many(9, 'c');
select is(
  jsonb_array_length(test.claim(test.token(1), max_messages => 2) -> 'messages'), 2,
  'two places, three queues'
);
select is(
  jsonb_array_length(test.claim(test.token(2), max_messages => 0) -> 'messages'), 0,
  'no place'
);

select * from finish();
rollback;
