-- A redrive forgets failures, and the steps from the named one on.
begin;
select plan(3);
create function reset() returns void language sql as $$
  delete from messenger_steps where true;
  insert into messenger_steps (message_id, handler, name, nth, status) values
    (1, 'h', 'a', 1, 'done'), (1, 'h', 'b', 1, 'done'), (1, 'h', 'c', 1, 'failed'), (1, 'h', 'd', 1, 'done'),
    (1, 'h', 'b', 2, 'done'), (2, 'h', 'b', 1, 'done')
$$;
create function rest() returns text language sql as $$
  select string_agg(message_id || name || nth, ' ' order by position) from messenger_steps
$$;
select reset(), messenger.forget_from(array[1], null);
select is(rest(), '1a1 1b1 1d1 1b2 2b1', 'failures');
select reset(), messenger.forget_from(array[1], 'b');
select is(rest(), '1a1 2b1', 'from the first step of the name on');
select reset(), messenger.forget_from(array[1], 'start');
select is(rest(), '2b1', 'all');

select * from finish();
rollback;
