/** The migration that takes Symphony Messenger out of a database. */

import { jobsIn, publicNames } from "../project/sql-names.ts";

/**
 * Writes the migration. It drops what our releases create, by name; pg_cron, pg_net and Vault stay.
 * @param ours the SQL of our releases
 * @param force whether to drop messages that still wait
 */
export function removalSql(ours: string, force: boolean): string {
  const { functions, relations } = publicNames(ours);
  return `-- Takes Symphony Messenger out of this database. Written by \`symphony-messenger uninstall\`.
-- pg_cron, pg_net and Vault stay: others may use them.

set local lock_timeout = '5s';
${force ? "" : WAITING}
${dependents(functions, relations)}
-- The jobs and our secrets.
do $$
declare
  job bigint;
begin
  for job in select j.jobid from cron.job j where j.jobname in (${list(jobsIn(ours))}) loop
    perform cron.unschedule(job);
  end loop;
  delete from vault.secrets s
  where s.name in ('symphony_url', 'symphony_secret_key') or s.name like 'symphony\\_alert\\_%'
    or s.name like 'webhook\\_%' and s.description = 'Symphony Messenger: signs webhooks';
  if to_regclass('realtime.messages') is not null then
    drop policy if exists "messenger: users hear of their own messages" on realtime.messages;
  end if;
end
$$;

drop function if exists public.messenger_version();
do $$
declare
  -- As texts: what a cascade has dropped has no name any more.
  statements text[] := array(
    select format('drop %s if exists %s cascade',
        case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, named.relation)
    from (${relationsNamed(relations)}) named(relation)
    join pg_catalog.pg_class c on c.oid = named.relation
  ) || array(
    select format('drop routine if exists %s cascade', named.routine)
    from (${functionsNamed(functions)}) named(routine)
  );
  statement text;
begin
  foreach statement in array statements loop
    execute statement;
  end loop;
  drop schema if exists messenger cascade;
end
$$;
`;
}

const WAITING = `
-- \`uninstall --force\` leaves this check out.
do $$
begin
  if exists (select from public.messenger_messages) then
    raise exception 'messages wait or run in messenger_messages: they would be lost'
      using errcode = '55000',
        hint = 'Let them be handled or cancel them, then push again; or run symphony-messenger uninstall --force.';
  end if;
end
$$;
`;

/** Views, triggers and foreign keys of the user's would be dropped with ours: they are named instead. */
function dependents(functions: readonly string[], relations: readonly string[]): string {
  return `-- Nothing of yours is dropped along.
do $$
declare
  ours oid[] := array(${relationsNamed(relations)}) || array(
    select c.oid from pg_catalog.pg_class c where c.relnamespace = to_regnamespace('messenger')
  );
  routines oid[] := array(${functionsNamed(functions)}) || array(
    select p.oid from pg_catalog.pg_proc p where p.pronamespace = to_regnamespace('messenger')
  );
  yours text;
begin
  select pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) into yours
  from pg_catalog.pg_depend d
  left join pg_catalog.pg_rewrite rule on d.classid = 'pg_rewrite'::regclass and rule.oid = d.objid
  left join pg_catalog.pg_constraint c on d.classid = 'pg_constraint'::regclass and c.oid = d.objid
  left join pg_catalog.pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
  left join pg_catalog.pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
  left join pg_catalog.pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
  where (d.refclassid = 'pg_class'::regclass and d.refobjid = any (ours)
      or d.refclassid = 'pg_proc'::regclass and d.refobjid = any (routines))
    and (coalesce(rule.ev_class, c.conrelid, t.tgrelid, a.adrelid, p.polrelid) <> all (ours)
      or d.classid = 'pg_proc'::regclass and d.objid <> all (routines))
  limit 1;
  if yours is not null then
    raise exception '% depends on Symphony Messenger', yours
      using errcode = '2BP01', hint = 'Drop it first, or take it off, then push again.';
  end if;
end
$$;
`;
}

function relationsNamed(names: readonly string[]): string {
  return `
    select c.oid::regclass from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
      and c.relname in (${list(names)})
  `;
}

function functionsNamed(names: readonly string[]): string {
  return `
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and p.proname in (${list(names)})
  `;
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}
