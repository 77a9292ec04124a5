-- The platform's additions for its Data API: PostgREST hears of every change of the schema, and SQL
-- can ask who calls (auth.uid, auth.role, auth.jwt).
-- Runs as a superuser and may run again.

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  notify pgrst, 'reload schema';
end
$$;

drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end
  execute function extensions.pgrst_ddl_watch();
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
  execute function extensions.pgrst_ddl_watch();

create schema if not exists auth;
grant usage on schema auth to postgres, anon, authenticated, service_role;

create or replace function auth.jwt() returns jsonb
language sql stable
set search_path = ''
return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;

create or replace function auth.uid() returns uuid
language sql stable
set search_path = ''
return nullif(auth.jwt() ->> 'sub', '')::uuid;

create or replace function auth.role() returns text
language sql stable
set search_path = ''
return nullif(auth.jwt() ->> 'role', '');
