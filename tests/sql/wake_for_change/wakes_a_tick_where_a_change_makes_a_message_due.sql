-- Changes of rows in SQL and in the dashboard.
begin;
select plan(9);

create function pg_temp.ticks_after(change text) returns bigint
language plpgsql
as $$
declare
  number bigint;
begin
  delete from public.messenger_ticks where true;
  perform set_config('symphony_messenger.woken', '', true);
  execute change;
  select count(*) into number from public.messenger_ticks;
  return number;
end
$$;
insert into messenger_messages (type, available_at) values
  ('A', now() + interval '1 hour'), ('A', now() + interval '1 hour');
insert into messenger_messages (type, queue, available_at) values
  ('B', 'paused', now() + interval '1 hour'), ('C', 'default', now() + interval '1 hour');
insert into messenger_queues (name) values ('empty');
update messenger_queues set paused = true where name = 'paused';

select is(
  pg_temp.ticks_after($$update messenger_messages set available_at = now() where type = 'A'$$),
  1::bigint, 'a time: once for all rows'
);
select is(
  pg_temp.ticks_after($$update messenger_messages set priority = 5 where type = 'A'$$),
  1::bigint, 'a priority'
);
select is(
  pg_temp.ticks_after($$update messenger_messages set queue = 'empty' where type = 'A'$$),
  1::bigint, 'a queue'
);
update messenger_messages set blocked = true where type = 'A';
select is(
  pg_temp.ticks_after($$update messenger_messages set blocked = false where type = 'A'$$),
  1::bigint, 'a turn'
);
select is(
  pg_temp.ticks_after($$update messenger_messages set priority = 5 where type = 'A'$$),
  0::bigint, 'a change that changes nothing does not'
);
select is(
  pg_temp.ticks_after($$update messenger_messages set available_at = now() where type = 'B'$$),
  0::bigint, 'a paused queue does not'
);
select is(
  pg_temp.ticks_after(
    $$update messenger_messages set available_at = now() + interval '2 minutes' where type = 'C'$$
  ),
  0::bigint, 'what is not due does not'
);
select is(
  pg_temp.ticks_after($$select messenger_claim(test.token(1))$$), 0::bigint, 'a claim does not'
);
select is(
  pg_temp.ticks_after(format(
    $$select messenger_settle('[{"token":"%s","retries":[{"id":%s,"delay_ms":0,"retry_count":1}]}]')$$,
    test.token(1), (select min(id) from messenger_messages where status = 'processing')
  )),
  1::bigint, 'a retry wakes one, for its worker may not be there when it is due'
);

select * from finish();
rollback;
