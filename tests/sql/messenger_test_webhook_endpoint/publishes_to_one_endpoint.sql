begin;
select plan(6);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","events":["b"]}');
select messenger_create_webhook_endpoint('b', '{"url":"https://b.example/"}');

select is(messenger_test_webhook_endpoint('a'), '{"changed":true}', 'a test');
select is((select array_agg(group_key) from messenger_messages), '{a}', 'goes to the endpoint alone');
select throws_ok($$select messenger_test_webhook_endpoint('c')$$, 'PT404', 'name: there is no endpoint c', 'one that is not there');
select throws_ok(
  format('select messenger_test_webhook_endpoint(%L)', n), 'PT400', 'name: has to be the name of an endpoint',
  format('the name %s', coalesce(n, 'null'))
) from unnest(array[null, '*']) as n;
select is((select array_agg(group_key) from messenger_messages), '{a}', 'and nothing went to all');

select * from finish();
rollback;
