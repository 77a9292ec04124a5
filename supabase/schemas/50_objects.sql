-- The objects of the bus, as they are: a doctor compares them with the release's.

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
    'triggers', (
      select coalesce(jsonb_agg(t.tgname order by t.tgname), '[]')
      from pg_catalog.pg_trigger t
      join pg_catalog.pg_class c on c.oid = t.tgrelid join schemas s on s.oid = c.relnamespace
      where not t.tgisinternal and t.tgenabled <> 'D'
    )
  )
$$;
comment on function public.messenger_objects() is
  'The objects of the bus as they are, for a doctor: {"version", "routines": hashes of bodies by name, "relations", "triggers": those that are enabled}.';
