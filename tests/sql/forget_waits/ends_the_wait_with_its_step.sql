begin;
select plan(3);

insert into messenger.waits values ('x', 1), ('y', 1), ('x', 2);
insert into messenger_steps (message_id, handler, name, kind, status)
values (1, 'handler', 'wait', 'wait', 'pending'), (2, 'handler', 'step', 'step', 'done');
select is((select count(*) from messenger.waits), 3::bigint, 'a pending wait and other steps keep waits');
update messenger_steps set status = 'done' where message_id = 1;
select is((select array_agg(message_id) from messenger.waits), array[2::bigint], 'a wait that is over does not');
insert into messenger_steps (message_id, handler, name, kind, status) values (2, 'handler', 'wait', 'wait', 'done');
select is_empty('select from messenger.waits', 'nor one that was over at once');

select * from finish();
rollback;
