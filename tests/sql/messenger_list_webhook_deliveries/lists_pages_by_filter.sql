begin;
select plan(6);
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
  select case when n % 2 = 0 then 'a' else 'b' end, n, 'x', n, 1, n % 3 = 0, 1 from generate_series(1, 12) as n;
create function listed(answer jsonb) returns text language sql as $$
  select string_agg(d ->> 'event_id', ',' order by n) from jsonb_array_elements(answer -> 'deliveries') with ordinality as d (d, n)
$$;

select is(listed(messenger_list_webhook_deliveries(max_deliveries => 3)), '12,11,10', 'the latest first');
select is(
  listed(messenger_list_webhook_deliveries(
    before_id => (messenger_list_webhook_deliveries(max_deliveries => 3) ->> 'next')::bigint, max_deliveries => 3
  )), '9,8,7', 'a next page'
);
select is(listed(messenger_list_webhook_deliveries(endpoint => 'a', delivered => true)), '12,6', 'by endpoint and outcome');
select is(messenger_list_webhook_deliveries(endpoint => 'a') -> 'next', 'null', 'the last page has no next one');
select is(listed(messenger_list_webhook_deliveries(delivered => true, max_scanned => 2)), '12', 'a page reads no more rows than it says');
select isnt(messenger_list_webhook_deliveries(delivered => true, max_scanned => 2) -> 'next', 'null', 'and continues behind them');

select * from finish();
rollback;
