begin;
select plan(7);
create role stranger;

create function pg_temp.told() returns jsonb language sql as $$
  select jsonb_build_array(messenger.installation() -> 'cron_job', messenger.installation() -> 'jobs')
$$;
select is(pg_temp.told(), '[true, []]', 'the job that was installed');
update cron.job set database = 'another' where jobname = 'symphony-tick';
select is(
  pg_temp.told(), '[false, [{"name": "symphony-tick", "problem": "other database or user"}]]', 'a job of another database'
);
insert into cron.job (jobname, schedule, command, username)
values ('symphony-tick', '* * * * *', 'select public.messenger_tick()', 'supabase_admin');
select is(pg_temp.told(), '[true, []]', 'one of this database beside it, of a user who may call the function');
update cron.job set username = 'stranger' where username = 'supabase_admin';
select is(
  pg_temp.told(), '[false, [{"name": "symphony-tick", "problem": "other database or user"}]]', 'a user who may not'
);
grant execute on function messenger_tick() to stranger;
select is(pg_temp.told(), '[true, []]', 'one who may');
update cron.job set username = 'nobody_at_all' where username = 'stranger';
select is(messenger.installation() -> 'cron_job', 'false', 'a user who is not there');
delete from cron.job where username = 'nobody_at_all';
update cron.job set database = current_database() where jobname = 'symphony-tick';
select is(pg_temp.told(), '[true, []]', 'the job is back');

select * from finish();
rollback;
