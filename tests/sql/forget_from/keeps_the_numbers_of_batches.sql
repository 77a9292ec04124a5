-- A step that is made again makes a further batch, under a key with the number of the redrive that forgot it.
begin;
select plan(5);
create function reset(p_redriven text) returns void language sql as $$
  delete from messenger_steps where true;
  delete from messenger_messages where true;
  insert into messenger_messages (id, type, stamps) values (1, 'A', p_redriven::jsonb);
  insert into messenger_steps (message_id, handler, name, kind, status, details) values
    (1, 'h', 'a', 'step', 'done', null), (1, 'h', 'b', 'step', 'done', '{"batchKey": "k"}'),
    (1, 'h', 'c', 'all', 'pending', '{"batch": "1", "again": 2}'), (1, 'h', 'd', 'all', 'failed', '{"batch": "2", "again": 2}'),
    (1, 'h', 'e', 'step', 'pending', '{"again": 2}')
$$;
create function rest() returns text language sql as $$
  select string_agg(name || left(status, 1) || coalesce(details ->> 'again', ''), ' ' order by position) from messenger_steps
$$;
select reset('{"redriven": 3}'), messenger.forget_from(array[1], null);
select is(rest(), 'ad bd cp2 dp2 ep2', 'a failure that is forgotten keeps its number');
select reset('{"redriven": 3}'), messenger.forget_from(array[1], 'a');
select is(rest(), 'bp3 cp3 dp3 ep2', 'what was stored gets another, and what was interrupted keeps its own');
select reset('{"redriven": 3}'), messenger.forget_from(array[1], 'd');
select is(rest(), 'ad bd cp2 dp3 ep2', 'from the named step on');
select reset('{"redriven": 3, "redrivenFrom": 3}'), messenger.forget_from(array[1], 'a');
select is(rest(), 'bp3 cp3 dp3 ep3', 'all, if the payload was edited');
select reset('{"redriven": 3, "redrivenFrom": 3}'), messenger.forget_from(array[1], 'start');
select is(rest(), null, 'none from the start, where the message has the number');

select * from finish();
rollback;
