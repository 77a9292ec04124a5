-- Messages of the future, of a paused queue, or that another worker has.
begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_queues (name, paused) values ('paused', true);
insert into messenger_messages (type, available_at) values ('later', '2026-01-01 13:00Z');
select is_empty('select id from messenger_ticks', 'of the future');
insert into messenger_messages (type, queue) values ('paused', 'paused');
select is_empty('select id from messenger_ticks', 'of a paused queue');
insert into messenger_messages (type, status, lease_token, leased_until, attempts)
values ('running', 'processing', test.token(1), '2026-01-01 12:01Z', 1);
select is_empty('select id from messenger_ticks', 'one that runs');
insert into messenger_messages (type, status, heartbeated, lease_token, leased_until, attempts)
values ('heartbeated', 'processing', true, test.token(2), '2026-01-01 12:01Z', 1);
select is_empty('select id from messenger_ticks', 'one that has run for a while');
insert into messenger_messages (type) select 'none' where false;
select is_empty('select id from messenger_ticks', 'and a statement that writes nothing');

select * from finish();
rollback;
