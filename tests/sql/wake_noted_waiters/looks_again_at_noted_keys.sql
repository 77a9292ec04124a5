begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

select messenger_dispatch(t, delay => interval '1 day') from unnest(array['A', 'B', 'C']) as t;
insert into messenger.waits select 'x', m.id from messenger_messages m;
insert into messenger_steps (message_id, handler, name, kind, status, details)
select m.id, 'handler', 'wait', 'wait', 'pending', jsonb_build_object('keys', '["x"]'::jsonb, 'cursors', jsonb_build_object(
  'x', jsonb_build_object('id', '0', 'snapshot', pg_current_snapshot()::text)
)) from messenger_messages m;
create function pg_temp.due() returns text[] language sql
as $$ select array(select type from messenger_messages where available_at <= messenger.clock() order by id) $$;

select is(messenger.wake_noted_waiters(), 0, 'without a note there is nothing to do');
insert into messenger.event_notes (event, message_id) values ('x', test.id_of('B'));
select is(messenger.wake_noted_waiters(), 1, 'a message is noted whose event was not committed after all');
select is(pg_temp.due(), '{}', 'it continues to wait');

insert into messenger_events (event) values ('x');
insert into messenger.event_notes (event, message_id) values ('x', test.id_of('B'));
select is(messenger.wake_noted_waiters(), 2, 'a message is noted whose event is there');
select is(pg_temp.due(), array['B'], 'it is due, and no other message');

insert into messenger.event_notes (event, after_id) values ('x', test.id_of('B'));
select is(messenger.wake_noted_waiters(), 2, 'all behind a message are noted');
select is(pg_temp.due(), array['B', 'C'], 'they are due');

insert into messenger.event_notes (event) values ('x');
select is(
  test.types(test.claim(test.token(1)) -> 'messages'), array['A', 'B', 'C'], 'a claim that sweeps looks at the notes'
);
select is_empty('select from messenger.event_notes', 'and removes them');

select * from finish();
rollback;
