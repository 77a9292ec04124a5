-- The prefix is a function's body: it is there on a branch that has no rows.
begin;
select plan(2);

delete from vault.secrets where name in ('symphony_url', 'symphony_secret_key');
select vault.create_secret('https://project.supabase.co', 'symphony_url');
select vault.create_secret('sb_secret_key', 'symphony_secret_key');
select is(messenger.function_prefix(), '', 'a project has no prefix by default');
create or replace function messenger.function_prefix() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select 'bus-'::text $$;
create temp table call as select messenger.post_tick('{"wait":false}') as id;
select results_eq(
  'select q.url from net.http_request_queue q join call using (id)',
  $$values ('https://project.supabase.co/functions/v1/bus-tick')$$,
  'the tick function is called by its name with the prefix'
);

select * from finish();
rollback;
