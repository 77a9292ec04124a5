-- A child of ctx.all was handled long ago, and its sibling has not ended.
begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[{"type":"Parent"}]');
select test.claimed(1);
select messenger_write_batch(
  jsonb_build_object('name', 'n', 'parent_id', test.id_of('Parent'), 'keeps_results', true), '[{"type":"A"},{"type":"B"}]'
);
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'parked', jsonb_build_array(
  jsonb_build_object('id', test.id_of('Parent'), 'delay_ms', 86400000000)
))));
insert into messenger_handled_messages (id, type, queue, attempts, created_at, handled_at, keep_until, result)
values (test.id_of('A'), 'A', 'default', 1, messenger_now(), messenger_now(), messenger_now() + interval '30 days', '7');
insert into messenger_handled_messages (id, type, queue, attempts, created_at, handled_at, keep_until)
values (0, 'Other', 'default', 1, messenger_now(), messenger_now(), messenger_now() + interval '30 days');
delete from messenger_messages where type = 'A';
select test.set_clock('2026-03-01 12:00Z');
select is(messenger_prune() ->> 'handled', '1', 'another message is forgotten');
select results_eq('select type from messenger_handled_messages', $$values ('A'::text)$$, 'the result stays');
update messenger_batches set finished_at = messenger_now(), handled = 2;
select test.set_clock('2026-05-01 12:00Z');
select is(messenger_prune() ->> 'batches', '0', 'a batch stays while its parent has not read it');
delete from messenger_messages where type = 'Parent';
select is(messenger_prune() ->> 'batches', '1', 'and goes with it');
select is_empty('select from messenger_handled_messages', 'as the results do');
select is(messenger_prune() ->> 'handled', '0', 'nothing is left');
select * from finish();
rollback;
