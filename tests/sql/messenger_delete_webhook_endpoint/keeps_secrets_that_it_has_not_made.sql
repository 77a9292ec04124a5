begin;
select plan(3);
select vault.create_secret('whsec_x', 'webhook_own');
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/","secret":"webhook_own"}');

select is(messenger_delete_webhook_endpoint('a'), '{"changed":true}', 'it is deleted');
select is((select count(*) from vault.secrets where name = 'webhook_own'), 1::bigint, 'its secret stays');
select throws_ok($$select messenger_delete_webhook_endpoint('a')$$, 'PT404', null, 'and not twice');

select * from finish();
rollback;
