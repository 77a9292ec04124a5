-- The worker has the payload already.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, payload, available_at) values ('A', '{"n": 1}', '2026-01-01 11:00Z');
select test.claim(test.token(1));
update messenger_messages set payload = '{"n": 2}' where type = 'A';
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'retries', jsonb_build_array(jsonb_build_object(
      'id', test.id_of('A')::text, 'delay_ms', 0, 'retry_count', 1
    ))
  ))) -> 'stale', '[]', 'its retry is written'
);
select is(test.claim(test.token(2)) -> 'messages' -> 0 -> 'payload', '{"n": 2}', 'and gets the edited payload');

select * from finish();
rollback;
