-- The limit is the claim's, not each queue's; rates count what is given.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, rate_limit) values ('a', null), ('b', null), ('rated', 100);
insert into messenger_messages (type, payload, queue, available_at)
select 'A', jsonb_build_object('text', repeat('x', 1000000)), q, messenger_now()
from unnest(array['a', 'b']) as q, generate_series(1, 5);
select is(
  (select json_array_length(messenger_claim(test.token(1), max_bytes => 3500000) -> 'messages')),
  3, 'of both together'
);
select is(
  (select count(*)::integer from messenger_messages where status = 'processing'), 3,
  'and no more are leased'
);

insert into messenger_messages (type, payload, queue, available_at)
select 'A', jsonb_build_object('text', repeat('x', 1000000)), 'rated', messenger_now()
from generate_series(1, 5);
select is(
  (select json_array_length(
    messenger_claim(test.token(2), max_bytes => 2500000, queues => array['rated']) -> 'messages'
  )),
  2, 'of a queue with a rate'
);
select is(
  (select sum(messages)::integer from messenger.start_grants), 2, 'no more are counted'
);

select * from finish();
rollback;
