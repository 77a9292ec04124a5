begin;
select plan(5);
select test.set_clock('2026-01-01 12:00Z');
update messenger_alerts set enabled = name = 'no-tick';
insert into messenger_ticks (started_at) values ('2026-01-01 11:00Z');

select messenger_check_alerts();
select is((select state from messenger_alerts where name = 'no-tick'), 'firing', 'it fires without a channel');
select is(test.told_alerts(), '{}', 'and is not told');
select messenger_set_alert_channel('ops', '{"kind":"slack","url":"https://hooks.example/x"}');
select test.set_clock('2026-01-01 12:01Z');
select messenger_check_alerts();
select is(test.told_alerts(), '{firing sent}', 'the first channel is told');
select is(
  (select (convert_from(q.body, 'UTF8')::jsonb ->> 'text') from net.http_request_queue q where q.url = 'https://hooks.example/x'),
  e'*Alert: no-tick*\nThe last tick began 61 min ago; the alert fires at 90 s.\nRun symphony-messenger doctor: it says whether the function tick, the cron job or the key is at fault.\n'
    || (select regexp_replace(s.decrypted_secret, '^https?://', '') from vault.decrypted_secrets s where s.name = 'symphony_url'),
  'what it is, what to do, and of which project it is'
);
select messenger_set_alert('no-tick', '{"enabled":false}');
select messenger_check_alerts();
select is((select state from messenger_alerts where name = 'no-tick'), 'resolved', 'one that is switched off is resolved');

select * from finish();
rollback;
