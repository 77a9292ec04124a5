begin;
select plan(9);
select test.set_clock('2026-01-01 12:00Z');
select test.dispatch('Parent');
insert into messenger_schedules (name, message_type, schedule_type, cron) values ('nightly', 'S', 'cron', '@daily');
select messenger_write_batch(
  jsonb_build_object('name', 'ours', 'keeps_results', true, 'parent_id', test.id_of('Parent')),
  '[{"type":"Child"},{"type":"Other"}]'
);
select is(
  messenger_show_message(test.id_of('Parent')) #> '{relations,children}',
  jsonb_build_object('more', false, 'messages', jsonb_build_array(
    jsonb_build_object('id', test.id_of('Child')::text, 'type', 'Child', 'status', 'pending'),
    jsonb_build_object('id', test.id_of('Other')::text, 'type', 'Other', 'status', 'pending')
  )), 'its children'
);
select is(
  messenger_show_message(test.id_of('Child')) #> '{relations,parent}',
  jsonb_build_object('id', test.id_of('Parent')::text, 'type', 'Parent', 'status', 'pending'), 'its parent'
);
select is(
  messenger_show_message(test.id_of('Child')) #> '{relations,batch}',
  (select jsonb_build_object('id', id::text, 'name', 'ours') from messenger_batches), 'its batch'
);
select is(messenger_show_message(test.id_of('Child')) #> '{relations,schedule}', 'null', 'no schedule');
select test.dead_letter('S', stamps => jsonb_build_object('schedule', jsonb_build_object(
  'id', (select id::text from messenger_schedules), 'name', 'nightly', 'occurrence', '2026-01-01T00:00:00Z', 'run', 1
)));
select is(
  (messenger_show_failed(test.id_of('S')) #> '{relations,schedule}') - 'id',
  '{"name":"nightly","occurrence":"2026-01-01T00:00:00Z","exists":true}', 'the schedule of a dead letter'
);
delete from messenger_schedules where true;
select is(
  messenger_show_failed(test.id_of('S')) #> '{relations,schedule,exists}', 'false', 'one that is removed'
);
select is(
  messenger.relations(1, '{"ofBatch":{"id":"7","name":"ours","event":"finished"}}') -> 'end_of_batch',
  '{"id":"7","name":"ours","event":"finished"}', 'the batch whose end it tells'
);
select is(
  messenger.relations(1, '{"batch":"mine","schedule":{"id":"x"},"ofBatch":7}'),
  '{"schedule":null,"batch":null,"end_of_batch":null,"parent":null,"children":{"messages":[],"more":false}}',
  'stamps of another form name nothing'
);
insert into messenger_batches (name, parent_id) values ('many', 99);
insert into messenger.batch_chunks select id, 1, array(select n + 1000000 from generate_series(1, 500) n), 0
from messenger_batches where parent_id = 99;
select is(
  (
    select jsonb_build_array(jsonb_array_length(r #> '{children,messages}'), r #> '{children,more}', r #> '{children,messages,0}')
    from messenger.relations(99, null) as r
  ),
  '[100, true, {"id":"1000001","type":null,"status":null}]', 'the first 100 children, and those that are gone'
);

select * from finish();
rollback;
