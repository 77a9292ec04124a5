-- Steps whose message is neither there nor a dead letter are deleted, a bounded number at a time.
begin;
select plan(5);
insert into messenger_messages (id, type) values (1, 'A');
insert into messenger_failed_messages (id, type, payload, queue, reason, created_at)
values (2, 'A', '{}', 'default', 'exhausted', now());
insert into messenger_steps (message_id, handler, name, status) select n, 'h', 'a', 'done' from generate_series(1, 4) as n;
select is((messenger.prune_orphans('public.messenger_steps', true, 100, true, null)).number, 2, 'a dry run counts them');
select is((select count(*)::integer from messenger_steps), 4, 'and deletes none');
select is((messenger.prune_orphans('public.messenger_steps', true, 3, false, null)).place, 3::bigint, 'it tells where to continue');
select is(messenger_prune() -> 'steps', '1', 'messenger_prune deletes the rest');
select is((select array_agg(message_id order by 1) from messenger_steps), array[1, 2]::bigint[], 'those of messages stay');

select * from finish();
rollback;
