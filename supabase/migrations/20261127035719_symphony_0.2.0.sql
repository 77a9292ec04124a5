-- Symphony Messenger 0.1.0 to 0.2.0, written by `deno task release 0.2.0`.

-- If another session locks one of these tables, this migration fails soon. A migration that waits would
-- make all later sessions wait behind it.
set local lock_timeout = '5s';

do $$
begin
  if to_regprocedure('public.messenger_version()') is null then
    raise exception 'Symphony Messenger is not in this database: the schema has to be 0.1.0'
      using hint = 'Apply the migrations of the earlier releases first.';
  end if;
  if public.messenger_version() <> '0.1.0' then
    raise exception 'the schema is Symphony Messenger %, and this migration leads from 0.1.0 to 0.2.0',
        public.messenger_version()
      using hint = 'Apply the migrations in the order of their releases, each of them once.';
  end if;
end
$$;

-- Functions, views, triggers and comments. Their bodies are checked when all of them are there.
set local check_function_bodies = off;

CREATE OR REPLACE FUNCTION public.messenger_version()
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO ''
AS $function$ select '0.2.0'::text $function$;

-- Grants: who may use what, made from the catalog, so that no function is forgotten.
--
-- The service role may use everything: the bus runs with its rights, and functions of public call those of
-- the schema messenger as their caller. Users, signed in or not, may use nothing. They come in through the
-- Edge Functions.

do $$
declare
  ours constant text := 'messenger\_%';
  routine regprocedure;
  relation regclass;
begin
  grant usage on schema messenger to service_role;
  revoke all on schema messenger from public, anon, authenticated;

  for routine in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'messenger'::regnamespace
      or p.pronamespace = 'public'::regnamespace and p.proname like ours
  loop
    execute format('revoke execute on routine %s from public, anon, authenticated', routine);
    execute format('grant execute on routine %s to service_role', routine);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind in ('r', 'v') and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on table %s from public, anon, authenticated', relation);
    execute format('grant select, insert, update, delete on table %s to service_role', relation);
  end loop;

  for relation in
    select c.oid from pg_catalog.pg_class c
    where c.relkind = 'S' and (
      c.relnamespace = 'messenger'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname like ours
    )
  loop
    execute format('revoke all on sequence %s from public, anon, authenticated', relation);
    execute format('grant usage, select, update on sequence %s to service_role', relation);
  end loop;
end
$$;

select public.messenger_setup();
