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
