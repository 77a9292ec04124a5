begin;
select plan(4);
select messenger_create_webhook_endpoint(n, '{"url":"https://a.example/"}') from unnest('{c,a,b}'::text[]) as n;

select is(messenger_list_webhook_endpoints(max_endpoints => 2) ->> 'next', 'b', 'a page');
select is(messenger_list_webhook_endpoints(after_name => 'b') -> 'endpoints' -> 0 ->> 'name', 'c', 'the next one');
select is(jsonb_array_length(messenger_list_webhook_endpoints(name => 'a') -> 'endpoints'), 1, 'one');
select ok(
  not messenger_list_webhook_endpoints()::text ~ 'whsec_', 'secrets are names in Vault'
);

select * from finish();
rollback;
