-- Fifty schedules of large payloads are a short list.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

alter table messenger_schedules alter column payload set storage external;
insert into messenger_schedules (message_type, payload, schedule_type, cron)
select 'A', jsonb_build_object('text', repeat('x', 1000000)), 'cron', '@daily' from generate_series(1, 50);
select cmp_ok(pg_column_size(messenger_list_schedules()), '<', 100000, 'without payloads');
select is(
  test.large_values_read_by('select messenger_list_schedules()', 'messenger_schedules'),
  0::bigint, 'none is read'
);
select set_eq(
  $$select jsonb_object_keys(messenger_list_schedules() #> '{schedules,0}')$$,
  $$select attname::text from pg_attribute where attrelid = 'messenger_schedules'::regclass
      and attnum > 0 and attname not in ('payload', 'stamps', 'lease_token', 'leased_until')$$,
  'it has every other column'
);

select * from finish();
rollback;
