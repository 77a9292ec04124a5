begin;
select plan(4);
insert into messenger_webhook_endpoints (name, url, secret, disabled_by, disabled_at)
select 'e' || n, 'https://a.example', 'webhook_a', 'failures', now() from generate_series(1, 30) as n;
select test.alert('webhook_disabled', '{"threshold":25}');
select is(test.measured() -> 0, '25', 'webhook_disabled: as far as a threshold above 20');
select is(test.checked_alert(), 'firing', 'so that it fires');

delete from messenger_ticks where true;
insert into messenger_ticks (asked_at) select clock_timestamp() - interval '40 seconds' from generate_series(1, 1600);
select test.alert('ticks_not_started', '{"threshold":1500}');
select is(test.measured() -> 0, '1500', 'ticks_not_started: as far as a threshold above 1,000');
select is(test.checked_alert(), 'firing', 'so that it fires');

select * from finish();
rollback;
