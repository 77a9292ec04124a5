-- Until one is right again. A call that makes no message says nothing of it.
begin;
select plan(4);
select test.set_clock('2026-01-01 12:00Z');

insert into messenger_schedules (message_type, schedule_type, cron) values ('A', 'cron', '* * * * *');
create function pg_temp.failing_after(worker integer, failing jsonb) returns timestamptz language plpgsql as $$
begin
  perform messenger_claim_schedules(test.token(worker));
  perform messenger_advance_schedules(test.token(worker), (
    select jsonb_agg(jsonb_build_object('id', s.id, 'failing', failing)) from messenger_schedules s
  ));
  return (select failing_since from messenger_schedules);
end
$$;
select is(pg_temp.failing_after(1, 'true'), '2026-01-01 12:00Z'::timestamptz, 'from its first failure on');
select test.set_clock('2026-01-01 12:01Z');
select is(pg_temp.failing_after(2, 'true'), '2026-01-01 12:00Z'::timestamptz, 'also after further ones');
select is(pg_temp.failing_after(3, 'null'), '2026-01-01 12:00Z'::timestamptz, 'and where no message was made');
select is(pg_temp.failing_after(4, 'false'), null, 'until one is right');

select * from finish();
rollback;
