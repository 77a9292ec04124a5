-- The work is done and no other worker has the message: a refusal would only have the work done twice.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:05Z');
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(1), 'handled', test.ids('A')
  ))),
  '{"stale":[]}', 'a settle in time enough'
);
select is_empty('select id from messenger_messages', 'is a settle');

select * from finish();
rollback;
