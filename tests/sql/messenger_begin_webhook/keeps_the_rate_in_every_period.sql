begin;
select plan(12);
select test.set_clock('2026-01-01 12:00Z');

select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","rate_limit":2,"rate_period_ms":10000}');
select messenger_publish('x');
create temporary view wait as
  select (messenger_begin_webhook('a', (select max(id) from messenger_webhook_events)) ->> 'wait_ms')::integer as ms;

select is((select ms from wait), 0, 'the first, after a pause');
select test.set_clock('2026-01-01 12:00:04Z');
select is((select ms from wait), 0, 'the second');
select test.set_clock('2026-01-01 12:00:06Z');
select is((select ms from wait), 4100, 'the third waits until the first is a period and a hundredth ago');
select is((select ms from wait), 4100, 'to ask again costs nothing');
select test.set_clock('2026-01-01 12:00:10Z');
select is((select ms from wait), 100, 'no period has three of them');
select test.set_clock('2026-01-01 12:00:10.1Z');
select is((select ms from wait), 0, 'then one more is allowed');
select is((select ms from wait), 4000, 'and the next one waits for the second');
select messenger_set_webhook_endpoint('a', '{"rate_period_ms":5000}');
select test.set_clock('2026-01-01 12:00:20.2Z');
select is((select ms from wait), 0, 'later the whole number is there');
select is((select ms from wait), 0, 'and no more');
select cmp_ok((select ms from wait), '>', 4900, 'than that');
select test.set_clock('2026-01-01 11:00Z');
select is((select ms from wait), 5050, 'calls of a clock that was set back count as now');
update messenger_webhook_endpoints set rate_used = '{"1":2}';
select is((select ms from wait), 0, 'and old ones not at all');

select * from finish();
rollback;
