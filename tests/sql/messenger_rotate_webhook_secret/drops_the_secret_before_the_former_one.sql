begin;
select plan(5);
select messenger_create_webhook_endpoint('a', '{"url":"https://a.example/"}');
create temporary view secrets as select count(*) as n from vault.secrets where name like 'webhook\_a\_%';

select messenger_rotate_webhook_secret('a');
select is((select n from secrets), 2::bigint, 'two during the rotation');
select messenger_rotate_webhook_secret('a');
select is((select n from secrets), 2::bigint, 'and two after the next one');
select throws_ok(
  $$select messenger_rotate_webhook_secret('a', interval '-1 s')$$, 'PT400',
  'overlap: has to be zero to 366 days', 'an overlap below zero'
);
select throws_ok($$select messenger_rotate_webhook_secret('b')$$, 'PT404', null, 'no such endpoint');
select messenger_delete_webhook_endpoint('a');
select is((select n from secrets), 0::bigint, 'a deletion deletes the secrets that were made');

select * from finish();
rollback;
