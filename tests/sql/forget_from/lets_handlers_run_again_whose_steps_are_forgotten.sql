begin;
select plan(5);
create function redriven(p_from text) returns jsonb language plpgsql as $$
begin
  delete from messenger_messages where true;
  delete from messenger_steps where true;
  insert into messenger_messages (id, type, stamps) overriding system value
  values (1, 'A', '{"durable":{"version":null},"handledBy":["plain","one"]}');
  insert into messenger_steps (message_id, handler, name, status) values
    (1, 'one', 'a', 'done'), (1, 'one', 'b', 'done'), (1, 'two', 'c', 'failed');
  perform messenger.forget_from(array[1], p_from);
  return (select stamps -> 'handledBy' from messenger_messages);
end
$$;
select is(redriven(null), '["plain","one"]', 'a redrive runs what has not succeeded');
select is(redriven('c'), '["plain","one"]', 'also from a step of another handler');
select is(redriven('b'), '["plain"]', 'from a step of a handler that had succeeded it runs again');
select is(redriven('start'), '["plain"]', 'and from the start all with steps');
create function untouched() returns jsonb language plpgsql as $$
begin
  update messenger_messages set stamps = '{"handledBy":"one"}' where true;
  insert into messenger_steps (message_id, handler, name, status) values (1, 'one', 'a', 'done');
  perform messenger.forget_from(array[1], 'start');
  return (select stamps -> 'handledBy' from messenger_messages);
end
$$;
select is(untouched(), '"one"', 'a stamp that is no list, of SQL of a user''s, is left alone');
select * from finish();
rollback;
