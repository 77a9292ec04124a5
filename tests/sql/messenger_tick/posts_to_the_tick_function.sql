-- Through pg_net, with the key that Vault keeps.
begin;
select plan(3);
select test.set_clock('2026-01-01 12:00Z');

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co/', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
create temp table call as select messenger_tick() as id;

select results_eq(
  $$select q.method::text, q.url, convert_from(q.body, 'UTF8')::jsonb, q.timeout_milliseconds
    from net.http_request_queue q join call using (id)$$,
  $$values ('POST', 'https://project.supabase.co/functions/v1/tick', '{"wait":false}'::jsonb, 5000)$$,
  'it asks for an answer at once'
);
select is(
  (select q.headers ->> 'apikey' from net.http_request_queue q join call using (id)),
  'sb_secret_key', 'with the key'
);
select is(
  (select q.headers ->> 'Content-Type' from net.http_request_queue q join call using (id)),
  'application/json', 'as JSON'
);

select * from finish();
rollback;
