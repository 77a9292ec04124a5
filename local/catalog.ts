/** The bus's entries in a database's catalog, for comparisons. */

import type postgres from "postgres";

/** One line for each property of each object of the bus. */
export async function readCatalog(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with schemas as (
      select n.oid, n.nspname, n.nspacl from pg_namespace n where n.nspname in ('public', 'messenger')
    ),
    relations as (
      select c.* from pg_class c join schemas s on s.oid = c.relnamespace
      where s.nspname = 'messenger' or c.relname like 'messenger\\_%'
    ),
    routines as (
      select p.* from pg_proc p join schemas s on s.oid = p.pronamespace
      where s.nspname = 'messenger' or p.proname like 'messenger\\_%'
    )
    select concat_ws(' | ', 'schema', s.nspname, s.nspacl, obj_description(s.oid)) as line
    from schemas s where s.nspname = 'messenger'
    union all
    select concat_ws(' | ', 'relation', r.oid::regclass, r.relkind, r.relowner::regrole,
      array(select o from unnest(r.reloptions) as o order by 1), 'rls', r.relrowsecurity,
      array(select a::text from unnest(r.relacl) as a order by 1), obj_description(r.oid, 'pg_class'),
      case when r.relkind = 'v' then pg_get_viewdef(r.oid) end)
    from relations r
    union all
    select concat_ws(' | ', 'column', r.oid::regclass,
      row_number() over (partition by r.oid order by a.attnum), a.attname,
      format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
      pg_get_expr(d.adbin, d.adrelid), a.attacl, col_description(r.oid, a.attnum))
    from relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
    union all
    select concat_ws(' | ', 'sequence', r.oid::regclass, s.seqtypid::regtype, s.seqstart,
      s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
    from relations r join pg_sequence s on s.seqrelid = r.oid
    union all
    select concat_ws(' | ', 'constraint', r.oid::regclass, c.conname, c.convalidated,
      pg_get_constraintdef(c.oid), obj_description(c.oid))
    from relations r join pg_constraint c on c.conrelid = r.oid
    union all
    select concat_ws(' | ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid)
    from relations r join pg_index i on i.indrelid = r.oid
    union all
    select concat_ws(' | ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
    from relations r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
    union all
    select concat_ws(' | ', 'policy', p.polname, p.polrelid::regclass, p.polcmd, p.polroles::regrole[],
      pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p
    where p.polname like 'messenger%' or p.polrelid in (select r.oid from relations r)
    union all
    select concat_ws(' | ', 'routine', pg_get_functiondef(p.oid), p.proowner::regrole,
      array(select a::text from unnest(p.proacl) as a order by 1), obj_description(p.oid, 'pg_proc'))
    from routines p
    union all
    select concat_ws(' | ', 'job', j.jobname, j.schedule, j.command, j.username, j.active)
    from cron.job j where j.jobname like 'symphony-%'
    order by 1`;
  return rows.map(({ line }) => line);
}
