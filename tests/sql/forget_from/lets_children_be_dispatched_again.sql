begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
create function dispatch_children() returns text language sql as $$
  select messenger_write_batch(
    '{"name":"n","parent_id":1,"idempotency_key":"k","idempotency_scope":"messenger.all"}', '[{"type":"A"}]'
  ) ->> 'id'
$$;
create temporary table first as select dispatch_children() as id;
insert into messenger_steps (message_id, handler, name, kind, status, details)
select 1, 'h', 'kids', 'all', 'failed', jsonb_build_object('batch', f.id) from first f;
select test.set_clock('2026-01-03 12:00Z');
select is(dispatch_children(), (select id from first), 'the children are found also two days later');
select messenger.forget_from(array[1], null);
select is(dispatch_children(), (select id from first), 'and after a redrive that forgets the failure');
insert into messenger_steps (message_id, handler, name, kind, status, details)
select 1, 'h', 'kids', 'all', 'done', jsonb_build_object('batch', f.id) from first f;
select messenger.forget_from(array[2], 'start');
select is(dispatch_children(), (select id from first), 'a redrive of another message changes nothing');
select messenger.forget_from(array[1], 'kids');
select isnt(dispatch_children(), (select id from first), 'a redrive from their step dispatches them again');
select * from finish();
rollback;
