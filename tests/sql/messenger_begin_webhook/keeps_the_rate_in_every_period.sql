begin;
select plan(6);
select test.set_clock('2026-01-01 12:00Z');

select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","rate_limit":2,"rate_period_ms":10000}');
select messenger_publish('x');
create temporary view wait as
  select (messenger_begin_webhook('a', (select max(id) from messenger_webhook_events)) ->> 'wait_ms')::integer as ms;

select is((select ms from wait), 0, 'the first');
select is((select ms from wait), 0, 'the second');
select is((select ms from wait), 5000, 'the third waits for its share of the period');
select is((select ms from wait), 5000, 'to ask again costs nothing');
select test.set_clock('2026-01-01 12:00:05Z');
select is((select ms from wait), 0, 'then one more is allowed');
update messenger_webhook_endpoints set rate_full_at = '2030-01-01Z';
select is((select ms from wait), 5000, 'a moment of the future counts as one period');

select * from finish();
rollback;
