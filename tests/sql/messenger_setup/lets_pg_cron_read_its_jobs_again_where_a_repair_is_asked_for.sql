begin;
select plan(3);

create temp table before as select jobid, ctid as place, to_jsonb(j) as job from cron.job j;
select messenger_setup();
select is(
  (select count(*) from cron.job j join before b on b.jobid = j.jobid and b.place = j.ctid),
  (select count(*) from before), 'a setup leaves jobs that are whole alone'
);
select is(
  (select jsonb_agg(distinct j.value) from jsonb_each_text(messenger_setup(repair => true) -> 'jobs') as j),
  '["kept"]', 'a repair finds them whole'
);
select is(
  (select count(*) from cron.job j join before b on b.jobid = j.jobid and b.place <> j.ctid
   where b.job = to_jsonb(j)),
  (select count(*) from before), 'and writes each once more as it is, so that pg_cron reads its jobs again'
);

select * from finish();
rollback;
