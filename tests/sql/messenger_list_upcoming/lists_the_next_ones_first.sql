begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
insert into messenger_schedules (name, message_type, schedule_type, cron, next_run_at, enabled) values
  ('later', 'A', 'cron', '@daily', '2026-01-01 15:00Z', true), ('soon', 'A', 'cron', '@daily', '2026-01-01 13:00Z', true),
  ('unplanned', 'A', 'cron', '@daily', null, true), ('lost', 'A', 'cron', '@daily', 'infinity', true),
  ('paused', 'A', 'cron', '@daily', '2026-01-01 13:00Z', false), ('tomorrow', 'A', 'cron', '@daily', '2026-01-02 13:00Z', true);

create function pg_temp.names(answer jsonb) returns text[] language sql as
  $$ select array(select s ->> 'name' from jsonb_array_elements(answer -> 'schedules') as s order by s ->> 'name') $$;
select is(
  pg_temp.names(messenger_list_upcoming('2026-01-01 23:00Z')), array['later', 'lost', 'soon', 'unplanned'],
  'those that run before a moment, and those that are not planned'
);
select is(
  pg_temp.names(messenger_list_upcoming('2026-01-01 23:00Z', max_schedules => 3)), array['lost', 'soon', 'unplanned'],
  'a page has the next ones'
);
select is(
  pg_temp.names(messenger_list_upcoming('2026-01-01 23:00Z', '2026-01-01 13:00Z', (
    select id from messenger_schedules where name = 'soon'
  ))), array['later'], 'the next page'
);
select is(
  messenger_list_upcoming('2026-01-01 23:00Z', max_schedules => 2) #>> '{next,0}', '-infinity', 'next is the last key'
);
insert into messenger_schedules (message_type, schedule_type, cron, next_run_at)
select 'A', 'cron', '@daily', '2026-01-01 13:00Z' from generate_series(1, 5000);
analyze messenger_schedules;
select cmp_ok(
  test.rows_read_by($$select messenger_list_upcoming('2026-01-01 23:00Z')$$, 'messenger_schedules'), '<', 500::bigint,
  'a page reads no more than a page'
);

select * from finish();
rollback;
