-- With the key that Vault keeps, whatever slash the URL ends with.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co//', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
create temp table call as select messenger.post_tick('{"wait":false,"queues":["mail"]}') as id;
select results_eq(
  $$select q.url, convert_from(q.body, 'UTF8')::jsonb, q.headers ->> 'apikey'
    from net.http_request_queue q join call using (id)$$,
  $$values (
    'https://project.supabase.co/functions/v1/tick', '{"wait":false,"queues":["mail"]}'::jsonb,
    'sb_secret_key'
  )$$,
  'to the tick function'
);
select throws_ok('select messenger.post_tick(null)', null, null, 'no body is refused');
delete from vault.secrets where name = 'symphony_url';
select throws_ok(
  $$select messenger.post_tick('{}')$$, 'P0001',
  'messenger_tick: Vault has no secret named symphony_url', 'a missing secret is named'
);

select * from finish();
rollback;
