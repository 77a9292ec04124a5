-- The steps of a dead letter go with it.
begin;
select plan(1);
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
select n, 'A', '{}', 'default', 'exhausted', now() from generate_series(1, 2) as n;
insert into messenger_steps (message_id, handler, name, status) select n, 'h', 'a', 'done' from generate_series(1, 2) as n;
select messenger_remove_failed(array[1]);
select is((select array_agg(message_id) from messenger_steps), array[2]::bigint[], 'and no others');

select * from finish();
rollback;
