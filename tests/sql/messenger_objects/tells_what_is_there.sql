begin;
select plan(4);

create temp table before as select messenger_objects() as objects;
drop view messenger.ready_messages cascade;
alter table messenger_messages disable trigger messenger_messages_wake;
create or replace function messenger.is_job(p_command text, p_calls text) returns boolean
language sql immutable set search_path = '' as 'select true';
select ok((select objects -> 'relations' ? 'messenger.ready_messages' from before), 'a view is there');
select ok(not messenger_objects() -> 'relations' ? 'messenger.ready_messages', 'until it is dropped');
select ok(
  (select objects -> 'triggers' ? 'messenger_messages_wake' from before)
    and not messenger_objects() -> 'triggers' ? 'messenger_messages_wake',
  'a trigger that is disabled is not told'
);
select isnt(
  messenger_objects() -> 'routines' -> 'messenger.is_job',
  (select objects -> 'routines' -> 'messenger.is_job' from before), 'a changed body has another hash'
);

select * from finish();
rollback;
