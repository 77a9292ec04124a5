begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');

-- A message that is parked until a timeout, with the step that says what it has seen.
select messenger_dispatch('A', delay => interval '1 day');
insert into messenger_steps (message_id, handler, name, kind, status, details)
values (test.id_of('A'), 'handler', 'wait', 'wait', 'pending', jsonb_build_object(
  'keys', '["x","y"]'::jsonb, 'cursors', jsonb_build_object(
    'x', jsonb_build_object('id', '0', 'snapshot', pg_current_snapshot()::text),
    'y', jsonb_build_object('id', '0', 'snapshot', pg_current_snapshot()::text)
  )
));

select messenger.note_waits(test.id_of('A'), array['x', 'y', 'x']);
select is(
  (select array_agg(event order by event) from messenger.waits where message_id = test.id_of('A')), array['x', 'y'],
  'each key is noted once'
);
select messenger.note_waits(test.id_of('A'), array['y', 'z']);
select is(
  (select array_agg(event order by event) from messenger.waits), array['y', 'z'], 'keys of an earlier wait go'
);
select is(
  (select available_at from messenger_messages), '2026-01-02 12:00Z'::timestamptz, 'the message waits'
);
select is_empty('select from messenger.event_notes', 'no note is left where the locks are free');

insert into messenger_events (event) values ('y');
select messenger.note_waits(test.id_of('A'), array['y']);
select is(
  (select available_at from messenger_messages), '2026-01-01 12:00Z'::timestamptz,
  'if an event is there already, it is due at once'
);
select is_empty('select from messenger.waits', 'and waits no more');

-- The event was seen, and did not fit.
update messenger_messages set available_at = '2026-01-02 12:00Z' where type = 'A';
update messenger_steps set details = jsonb_build_object('keys', '["y"]'::jsonb, 'cursors', jsonb_build_object(
  'y', jsonb_build_object('id', (select max(id) from messenger_events)::text, 'snapshot', pg_current_snapshot()::text)
)) where message_id = test.id_of('A');
select messenger.note_waits(test.id_of('A'), array['y']);
select is(
  (select available_at from messenger_messages), '2026-01-02 12:00Z'::timestamptz, 'an event that it has seen does not count'
);
select is((select array_agg(event) from messenger.waits), array['y'], 'and it waits');
select messenger.note_waits(test.id_of('A'), '{}');
select is_empty('select from messenger.waits', 'without keys it waits for none');

select * from finish();
rollback;
