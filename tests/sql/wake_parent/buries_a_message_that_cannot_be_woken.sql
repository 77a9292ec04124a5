-- The batch is finished, and its other consequences come, whatever a trigger of a project's own says of the parent.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[{"type":"Parent"}]');
select test.claimed(1);
select messenger_write_batch(
  jsonb_build_object('name', 'n', 'parent_id', test.id_of('Parent'), 'on_finished', '{"type": "End"}'::jsonb), '[{"type":"A"}]'
);
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'parked', jsonb_build_array(
  jsonb_build_object('id', test.id_of('Parent'), 'delay_ms', 3600000)
))));
select test.claim(test.token(2));
select test.handle(2, 'A');
create function public.test_refuse() returns trigger language plpgsql as $$
begin
  raise exception using errcode = '45000', message = 'the project refuses it';
end
$$;
create trigger test_refuse before update on messenger_messages for each row
  when (new.type = 'Parent' and new.available_at < old.available_at) execute function public.test_refuse();
select lives_ok('select messenger_fold_batches(array(select id from messenger_batches))', 'the fold');
select isnt_empty($$select from messenger_messages where type = 'End'$$, 'the callback is dispatched');
select results_eq(
  'select type, error from messenger_failed_messages',
  $$values ('Parent', 'the message could not be woken: the project refuses it')$$, 'the parent is a dead letter'
);
select * from finish();
rollback;
