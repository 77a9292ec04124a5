-- Steps go with their message in the settle call that says that it has some.
begin;
select plan(1);
insert into messenger_messages (id, type, status, lease_token, leased_until, attempts)
select n, 'A', 'processing', '00000000-0000-4000-8000-000000000001', 'infinity', 1 from generate_series(1, 3) as n;
insert into messenger_steps (message_id, handler, name, status) select n, 'h', 'a', 'done' from generate_series(1, 3) as n;
select messenger_settle('[{"token":"00000000-0000-4000-8000-000000000001","handled":["1","2"],"durable":["1"]}]');
select results_eq(
  'select message_id from messenger_steps order by 1', 'values (2::bigint), (3)', 'those of the message that was named'
);

select * from finish();
rollback;
