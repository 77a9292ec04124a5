begin;
select plan(3);

delete from messenger.jobs_set_up;
select messenger_setup();
select is((select count(*) from messenger.jobs_set_up), 0::bigint, 'not where it kept all jobs');
delete from cron.job where jobname = 'symphony-tick';
select messenger_setup();
select is((select at from messenger.jobs_set_up), messenger_now(), 'where it made one');
update messenger.jobs_set_up set at = '2026-01-01';
select messenger_setup(repair => true);
select is((select at from messenger.jobs_set_up), messenger_now(), 'where a repair let pg_cron read them again');

select * from finish();
rollback;
