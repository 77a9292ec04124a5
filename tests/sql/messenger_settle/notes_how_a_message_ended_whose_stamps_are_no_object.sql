-- Stamps of a user's own SQL may be no object. Without the note its handler would run again each time.
begin;
select plan(1);
select test.dispatch('A');
update messenger_messages set stamps = '"x"';
select test.claim(test.token(1), 1);
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'retries', jsonb_build_array(
  jsonb_build_object('id', test.ids('A') -> 0, 'delay_ms', 1, 'retry_count', 0, 'ended', 'handled')
))));
select is(stamps, '{"ended":"handled"}', 'the message notes how it ended') from messenger_messages;
select * from finish();
rollback;
