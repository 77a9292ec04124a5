-- A claim looks only into queues it knows.
begin;
select plan(2);
select test.set_clock('2026-01-01 12:00Z');

select messenger_enqueue(
  '[{"type":"A","queue":"mail"},{"type":"B","queue":"mail"},{"type":"C","queue":"hooks"}]'
);
select messenger_enqueue('[{"type":"D","queue":"mail"}]');
insert into messenger_messages (type, queue) values ('inserted in SQL', 'imports');

select is(
  array(select name from messenger_queues where name <> 'default' order by name),
  array['hooks', 'imports', 'mail'],
  'each queue has one row, however the message was written'
);
select is(
  array(select name from messenger_queues where paused), array[]::text[], 'and is not paused'
);

select * from finish();
rollback;
