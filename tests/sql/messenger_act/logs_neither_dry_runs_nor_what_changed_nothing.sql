begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
select test.dead_letter('A');
select test.dispatch('C');

select is(
  messenger_act('ada', 'messenger_redrive', '{"type":"A","dry_run":true}') ->> 'matched', '1',
  'a dry run counts'
);
select is(
  messenger_act('ada', 'messenger_cancel', '{"type":"C","dry_run":true}') ->> 'matched', '1',
  'so does that of a cancellation'
);
select messenger_act('ada', 'messenger_redrive', '{"type":"Unknown"}'),
  messenger_act('ada', 'messenger_unschedule', '{"id":999}'),
  messenger_act('ada', 'messenger_set_queue', '{"name":"default","settings":{"paused":false}}');
select is_empty('select * from messenger_actions', 'nothing was changed, and nothing logged');
select is((select count(*)::int from messenger_failed_messages), 1, 'the dead letter is there');

select * from finish();
rollback;
