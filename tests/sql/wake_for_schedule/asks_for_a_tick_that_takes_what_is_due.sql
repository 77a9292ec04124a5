-- At the commit, when the schedule is as it will be.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');
create function pg_temp.asked() returns bigint language plpgsql as $$
begin
  set constraints all immediate;
  set constraints all deferred;
  return (select count(*) from messenger_ticks);
end
$$;

insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at)
values (1, 'A', 'cron', '@daily', '2026-01-02Z');
select is(pg_temp.asked(), 0::bigint, 'none for one that the ticks of later minutes take');
insert into messenger_schedules (id, message_type, schedule_type, cron, next_run_at)
values (2, 'A', 'cron', '@daily', '2026-01-01 12:00Z');
select messenger_claim_schedules(test.token(1));
select is(pg_temp.asked(), 0::bigint, 'none for one that a tick has taken meanwhile');
insert into messenger_schedules (id, message_type, schedule_type, cron, enabled) values (3, 'A', 'cron', '@daily', false);
select is(pg_temp.asked(), 0::bigint, 'none for one that is paused');
update messenger_schedules set enabled = true where id = 3;
select is(pg_temp.asked(), 1::bigint, 'one for a schedule whose time is still to be found');

select * from finish();
rollback;
