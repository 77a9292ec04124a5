-- A worker that was held up for a moment continues.
begin;
select plan(1);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1), lease_ms => 1000);
select test.set_clock('2026-01-01 12:05Z');
select messenger_heartbeat(
  jsonb_build_array(jsonb_build_object('token', test.token(1), 'ids', test.ids('A')))
);
select is(test.claim(test.token(2)) -> 'crashed', '[]', 'the message is not swept');

select * from finish();
rollback;
