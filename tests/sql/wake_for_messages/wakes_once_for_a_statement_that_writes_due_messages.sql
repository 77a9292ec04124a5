-- For any writer: a dispatch, a redrive, an operator's insert.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_messages (type, available_at)
values ('later', '2026-01-01 13:00Z'), ('now', '2026-01-01 12:00Z'), ('before', '2026-01-01 11:00Z');
select is((select count(*) from messenger_ticks), 1::bigint, 'one tick for all of them');
delete from messenger_ticks;
select messenger_dispatch('A');
select is((select count(*) from messenger_ticks), 1::bigint, 'a dispatch wakes one');
delete from messenger_ticks;
select test.dead_letter('B');
select messenger_redrive("all" => true);
select is((select count(*) from messenger_ticks), 1::bigint, 'a redrive does too');

select * from finish();
rollback;
