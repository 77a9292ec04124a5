-- The objects of the bus, as they are: a doctor compares them with the release's.

-- Runs with its owner's rights: the service role may not read the history of migrations. It tells stamps only.
create function messenger.applied_migrations() returns jsonb
language plpgsql stable
security definer
set search_path = ''
as $$
begin
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return null;
  end if;
  return (
    select coalesce(jsonb_agg(m.version order by m.version), '[]') from supabase_migrations.schema_migrations m
  );
exception when insufficient_privilege then
  return null;
end
$$;
comment on function messenger.applied_migrations() is
  'Part of messenger_objects(): the stamps of the project''s applied migrations, in order; null if the database has no history, or does not show it.';

-- Line ends do not count: a checkout on Windows may have others.
create function public.messenger_objects() returns jsonb
language sql stable
set search_path = ''
as $$
  with schemas as (
    select n.oid, n.nspname from pg_catalog.pg_namespace n where n.nspname in ('public', 'messenger')
  )
  select jsonb_build_object(
    'version', public.messenger_version(),
    'routines', (
      select jsonb_object_agg(r.name, r.hashes) from (
        select s.nspname || '.' || p.proname as name,
          jsonb_agg(md5(replace(p.prosrc, e'\r', '')) order by p.oid) as hashes
        from pg_catalog.pg_proc p join schemas s on s.oid = p.pronamespace
        where s.nspname = 'messenger' or p.proname like 'messenger\_%'
        group by 1
      ) as r
    ),
    'relations', (
      select jsonb_agg(s.nspname || '.' || c.relname order by s.nspname, c.relname)
      from pg_catalog.pg_class c join schemas s on s.oid = c.relnamespace
      where c.relkind in ('r', 'v') and (s.nspname = 'messenger' or c.relname like 'messenger\_%')
    ),
    'migrations', messenger.applied_migrations(),
    'references', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', pg_catalog.quote_ident(k.conname), 'table', k.conrelid::regclass::text, 'on', s.nspname || '.' || c.relname,
        'definition', pg_catalog.pg_get_constraintdef(k.oid)
      ) order by k.conrelid::regclass::text, k.conname), '[]')
      from pg_catalog.pg_constraint k
      join pg_catalog.pg_class c on c.oid = k.confrelid join schemas s on s.oid = c.relnamespace
      join pg_catalog.pg_class o on o.oid = k.conrelid
      where k.contype = 'f' and k.confdeltype in ('a', 'r') and k.conparentid = 0
        and (s.nspname = 'messenger' or c.relname like 'messenger\_%')
        and o.relnamespace <> 'messenger'::regnamespace
        and not (o.relnamespace = 'public'::regnamespace and o.relname like 'messenger\_%')
    ),
    'triggers', (
      select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]')
      from pg_catalog.pg_trigger t
      join pg_catalog.pg_class c on c.oid = t.tgrelid join schemas s on s.oid = c.relnamespace
      where not t.tgisinternal and t.tgenabled <> 'D'
    )
  )
$$;
comment on function public.messenger_objects() is
  'The objects of the bus as they are, for a doctor: {"version", "routines": hashes of bodies by name, "relations", "triggers": those that are enabled, "migrations": stamps that are applied, "references": foreign keys of the project''s own tables that keep rows of the bus from being deleted}.';
