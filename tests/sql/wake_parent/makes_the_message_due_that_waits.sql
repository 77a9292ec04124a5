begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
select messenger_enqueue('[{"type":"Parent"}]');
select test.claimed(1);
select messenger_write_batch(jsonb_build_object('name', 'n', 'parent_id', test.id_of('Parent')), '[{"type":"A"}]');
select test.claim(test.token(2));
select test.handle(2, 'A');
select messenger_fold_batches(array(select id from messenger_batches));
select is((select count(*) from messenger.batch_deltas), 1::bigint, 'a parent that still runs is noted');
select messenger_settle(jsonb_build_array(jsonb_build_object('token', test.token(1), 'parked', jsonb_build_array(
  jsonb_build_object('id', test.id_of('Parent'), 'delay_ms', 3600000)
))));
select is(
  (select available_at from messenger_messages where type = 'Parent'), '2026-01-01 13:00Z'::timestamptz, 'it is parked'
);
select messenger_fold_batches(array(select id from messenger_batches));
select is(test.claimed(4), '{Parent}', 'and due after the next fold');
select is_empty('select from messenger.batch_deltas', 'and the note is gone');
select test.handle(4, 'Parent');
select test.claim(test.token(5), max_messages => 0);
select is_empty('select from messenger.batch_deltas', 'a parent that is gone is not noted again');
select * from finish();
rollback;
