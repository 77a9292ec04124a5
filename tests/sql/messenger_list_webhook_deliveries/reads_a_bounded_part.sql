begin;
select plan(5);
insert into messenger_webhook_deliveries (endpoint, event_id, event, message_id, attempt, delivered, duration_ms)
  select case when n % 1000 = 0 then 'rare' else 'often' end, n, 'x', n, 1, true, 1 from generate_series(1, 12000) as n;
analyze messenger_webhook_deliveries;

-- A plan that is kept is made at the sixth call.
select messenger_list_webhook_deliveries(endpoint => 'rare') from generate_series(1, 8);
select is(jsonb_array_length(messenger_list_webhook_deliveries(endpoint => 'rare') -> 'deliveries'), 12, 'all of an endpoint');
select cmp_ok(
  test.rows_read_by(statement, 'messenger_webhook_deliveries'), '<=', most, statement
) from (values
  ('select messenger_list_webhook_deliveries(endpoint => ''rare'')', 100::bigint),
  ('select messenger_list_webhook_deliveries(endpoint => ''often'', before_id => 6000)', 200),
  ('select messenger_list_webhook_deliveries()', 200),
  ('select messenger_list_webhook_deliveries(delivered => false, max_scanned => 1000)', 2100)
) as s (statement, most);

select * from finish();
rollback;
