begin;
select plan(2);
select test.set_clock('2026-03-01 12:00Z');
insert into messenger_alert_deliveries (channel, event, body, created_at)
select 'ops', 'test', '{}', at from unnest('{2026-01-29 11:59Z,2026-01-31 12:00Z}'::timestamptz[]) as at;

select is(messenger_prune_events('30 days') -> 'done', '1', 'one of 31 days ago goes');
select is((select count(*) from messenger_alert_deliveries), 1::bigint, 'one of 29 days ago stays');

select * from finish();
rollback;
