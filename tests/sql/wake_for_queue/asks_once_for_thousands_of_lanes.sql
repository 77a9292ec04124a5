-- A statement may make or change any number of lanes: few hold messages, and one tick sees them all.
begin;
select plan(7);
set local track_functions = 'all';
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.polls() returns bigint language sql as $$
  select coalesce((
    select s.calls from pg_stat_xact_user_functions s where s.funcid = 'messenger.next_due(text[])'::regprocedure
  ), 0)
$$;

insert into messenger_queues (name, paused) select 'reports/a' || n, true from generate_series(1, 500) n;
insert into messenger_queues (name, weight) select 'reports/b' || n, 2 from generate_series(1, 500) n;
update messenger_queues set paused = false where name like 'reports/a%';
select is(pg_temp.polls(), 0::bigint, 'lanes without messages ask for nothing');
select is((select count(*) from messenger_ticks), 0::bigint, 'and wake nothing');

update messenger_queues set paused = true where name like 'reports/a%';
insert into messenger_messages (type, queue, available_at)
select 'Held', 'reports/a' || n, messenger_now() - n * interval '1 second' from generate_series(1, 500) n;
insert into messenger_messages (type, queue, quarantined, available_at) values ('Quarantined', 'reports/a1', true, messenger_now());
select is((select count(*) from messenger_ticks), 0::bigint, 'messages of paused lanes wake no tick');
update messenger_queues set paused = false where name like 'reports/a%';
select is((select count(*) from messenger_ticks), 1::bigint, 'lanes that are resumed ask for one');
select cmp_ok(pg_temp.polls(), '<=', 5::bigint, 'with few polls');

delete from messenger_messages where type = 'Held';
update messenger_queues set paused = true where name = 'reports/a1';
delete from messenger_ticks;
select set_config('symphony_messenger.woken', '', true);
select is((select count(*) from messenger_ticks), 0::bigint, 'without ticks');
update messenger_queues set paused = false where name = 'reports/a1';
select is((select count(*) from messenger_ticks), 1::bigint, 'a lane with a quarantined message asks for one as well');

select * from finish();
rollback;
