-- Rows written afterwards take ids that are free. An id far above all others, which an operator gave, moves nothing.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
insert into messenger_schedules (id, message_type, schedule_type, cron)
values (2000000, 'A', 'cron', '@daily'), (9223372036854775807, 'B', 'cron', '@daily');
insert into messenger_events (id, event, value) overriding system value values (2000000, 'a', '1');
insert into messenger_ticks (id) overriding system value values (2000000);
select setval(s, 1, false) from unnest(array[
  'messenger_schedules_id_seq', 'messenger_events_id_seq', 'messenger_ticks_id_seq'
]::regclass[]) as s;
select messenger_tick();

select is(nextval('messenger_schedules_id_seq'), 2000001::bigint, 'ids of schedules');
select is(nextval('messenger_events_id_seq'), 2000001::bigint, 'of events');
select is(nextval('messenger_ticks_id_seq'), 2000001::bigint, 'of ticks');

select * from finish();
rollback;
