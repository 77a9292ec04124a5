-- A redrive leaves a step pending that is to dispatch its children again. It waits for nothing yet.
begin;
select plan(3);
select test.dispatch('A');
select messenger_emit('e');
insert into messenger_steps (message_id, handler, name, kind, status, details)
select test.id_of('A'), 'h', 'a', 'all', 'pending', '{"again": 2}';
insert into messenger_steps (message_id, handler, name, kind, status, until, details)
select test.id_of('A'), 'h', 'b', 'wait', 'pending', 'infinity', jsonb_build_object(
  'keys', '{e}'::text[], 'since', messenger_now() - interval '1 hour', 'cursors', jsonb_build_object('e', jsonb_build_object(
    'id', (select max(id) from messenger_events), 'snapshot', pg_current_snapshot()::text,
    'seen', (select jsonb_agg(id::text) from messenger_events)
  ))
);

select is(messenger.has_new_event(test.id_of('A'), '{e}'), false, 'what the wait has seen is not new');
select is(messenger.followed_steps(test.id_of('A')) #>> '{steps,current,name}', 'b', 'the wait is the current step');
select messenger_emit('e');
select is(messenger.has_new_event(test.id_of('A'), '{e}'), true, 'a further event is');

select * from finish();
rollback;
