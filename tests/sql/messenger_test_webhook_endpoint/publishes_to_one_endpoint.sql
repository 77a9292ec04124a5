begin;
select plan(3);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","events":["b"]}');
select messenger_create_webhook_endpoint('b', '{"url":"https://b.example/"}');

select is(messenger_test_webhook_endpoint('a'), '{"changed":true}', 'a test');
select is((select array_agg(group_key) from messenger_messages), '{a}', 'goes to the endpoint alone');
select throws_ok($$select messenger_test_webhook_endpoint('c')$$, 'PT409', null, 'one that is not there');

select * from finish();
rollback;
