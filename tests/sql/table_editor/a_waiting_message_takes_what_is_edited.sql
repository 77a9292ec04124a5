-- Payload, priority, queue and time of a message that waits.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, payload, available_at) values
  ('First', '{"n": 1}', '2026-01-01 11:00Z'), ('Second', '{"n": 1}', '2026-01-01 11:30Z'),
  ('Later', '{"n": 1}', '2026-01-02 12:00Z');
update messenger_messages set payload = '{"n": 2}', priority = 5 where type = 'Second';
update messenger_messages set available_at = '2026-01-01 11:59Z' where type = 'Later';
update messenger_messages set queue = 'other' where type = 'First';
create temp table claim as select test.claim(test.token(1), queues => '{default}') as answer;

select is(
  (select test.types(answer -> 'messages') from claim), '{Second,Later}',
  'priority, time and queue count at the next claim'
);
select is(
  (select m -> 'payload' from claim, jsonb_array_elements(answer -> 'messages') as m where m ->> 'type' = 'Second'),
  '{"n": 2}', 'and so does the payload'
);
select isnt_empty($$select from messenger_queues where name = 'other'$$, 'a new queue has its row');

select * from finish();
rollback;
