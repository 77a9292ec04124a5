-- A new schedule, one by its name, and a change by its id: with the words of a dispatch.
begin;
select plan(7);
select test.set_clock('2026-01-01 12:00Z');

create temp table large as
select jsonb_build_object('text', repeat('x', 9000000)) as value;
insert into messenger_schedules (id, name, message_type, schedule_type, cron)
values (7, 'daily', 'A', 'cron', '@daily');
create function pg_temp.save(given jsonb) returns jsonb
language sql
as $$
  select messenger_save_schedules(jsonb_build_array(
    '{"message_type":"A","schedule_type":"cron","cron":"@daily"}'::jsonb || given
  ))
$$;
create function pg_temp.large(field text) returns jsonb
language sql
as $$ select jsonb_build_object(field, value) from large $$;

select throws_like(
  $$select pg_temp.save(pg_temp.large('payload'))$$,
  'payload: has 90000__ bytes; has to have at most 8388608', 'a new one'
);
select throws_ok($$select pg_temp.save(pg_temp.large('payload'))$$, 'PT413', null, 'as too large');
select throws_ok(
  $$select pg_temp.save('{"name":"daily"}' || pg_temp.large('payload'))$$, 'PT413', null, 'by its name'
);
select throws_ok(
  $$select messenger_save_schedules(jsonb_build_array('{"id":7}' || pg_temp.large('payload')))$$,
  'PT413', null, 'a change'
);
select throws_like(
  $$select pg_temp.save(pg_temp.large('stamps'))$$, 'stamps: has %', 'stamps'
);
select throws_ok(
  $$select messenger_schedule_once('A', (select value from large), '2027-01-01 00:00Z')$$,
  'PT413', null, 'one made in SQL'
);
select results_eq(
  'select name, payload from messenger_schedules', $$values ('daily', '{}'::jsonb)$$, 'nothing is written'
);

select * from finish();
rollback;
