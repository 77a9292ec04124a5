-- A worker that lost its lease has not handled the message.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

select test.dispatch('A');
select test.claim(test.token(1));
select is(
  messenger_settle(jsonb_build_array(jsonb_build_object(
    'token', test.token(2), 'handled', test.ids('A'),
    'kept', jsonb_build_array(jsonb_build_object('id', test.id_of('A'), 'keep_ms', 60000))
  ))) -> 'stale',
  test.ids('A'), 'it is told so'
);
select is_empty('select id from messenger_handled_messages', 'nothing is remembered');
select is((select status from messenger_messages), 'processing', 'the message runs on');

select * from finish();
rollback;
