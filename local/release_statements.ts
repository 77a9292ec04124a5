/**
 * The statements that lead from one release's functions, views, triggers and comments to the next one's: derived
 * from the catalogs of two databases. People write the changes of tables, in supabase/upgrades.
 */

import type postgres from "postgres";

/** An object that is made again when it changes. */
interface Made {
  readonly kind: "routine" | "view" | "trigger";
  /** Its name, as statements say it. */
  readonly name: string;
  readonly drop: string;
  readonly create: string;
  /** Replaces it in place; null where that is not possible for its kind. */
  readonly replace: string | null;
  /** The part that a replacement cannot change. */
  readonly signature: string;
}

interface Commented {
  /** As COMMENT ON says it. */
  readonly object: string;
  readonly text: string;
}

/** Objects in the order of their making. All names in them are qualified. */
const MADE = `
  select 'routine' as kind, p.oid, p.oid::regprocedure::text as name,
    format('drop routine %s', p.oid::regprocedure) as drop,
    regexp_replace(pg_get_functiondef(p.oid), '^CREATE OR REPLACE', 'CREATE') as create,
    pg_get_functiondef(p.oid) as replace,
    concat_ws('|', p.prokind, pg_get_function_result(p.oid), p.proallargtypes::regtype[], p.proargnames,
      p.pronargdefaults) as signature
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'messenger' or n.nspname = 'public' and p.proname like 'messenger\\_%'
  union all
  select 'view', c.oid, c.oid::regclass::text, format('drop view %s', c.oid::regclass),
    format('create view %s%s as %s', c.oid::regclass,
      coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_viewdef(c.oid)),
    null, ''
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'v' and (n.nspname = 'messenger' or n.nspname = 'public' and c.relname like 'messenger\\_%')
  union all
  select 'trigger', t.oid, format('%I on %s', t.tgname, t.tgrelid::regclass),
    format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass), pg_get_triggerdef(t.oid), null, ''
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
  where not t.tgisinternal
    and (n.nspname = 'messenger' or n.nspname = 'public' and c.relname like 'messenger\\_%')
  order by oid`;

const COMMENTS = `
  with ours as (
    select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'messenger' or n.nspname = 'public' and c.relname like 'messenger\\_%'
  )
  select case c.relkind when 'S' then 'sequence ' when 'i' then 'index ' when 'v' then 'view ' else 'table ' end
      || c.oid::regclass as object, d.description as text
  from ours c join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
  union all
  select format('column %s.%I', c.oid::regclass, a.attname), d.description
  from ours c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
  join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = a.attnum
  where a.attnum > 0
  union all
  select format('constraint %I on %s', k.conname, c.oid::regclass), d.description
  from ours c join pg_constraint k on k.conrelid = c.oid
  join pg_description d on d.classoid = 'pg_constraint'::regclass and d.objoid = k.oid
  union all
  select format('trigger %I on %s', t.tgname, c.oid::regclass), d.description
  from ours c join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
  join pg_description d on d.classoid = 'pg_trigger'::regclass and d.objoid = t.oid
  union all
  select 'routine ' || p.oid::regprocedure, d.description
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  join pg_description d on d.classoid = 'pg_proc'::regclass and d.objoid = p.oid
  where n.nspname = 'messenger' or n.nspname = 'public' and p.proname like 'messenger\\_%'
  order by 1`;

/** One database's objects and comments. */
interface Objects {
  readonly made: readonly Made[];
  readonly comments: readonly Commented[];
}

async function readObjects(sql: postgres.Sql): Promise<Objects> {
  return await sql.begin(async (transaction) => {
    // Names are qualified where they are not on the path.
    await transaction`set local search_path = ''`;
    return {
      made: [...await transaction.unsafe<Made[]>(MADE)],
      comments: [...await transaction.unsafe<Commented[]>(COMMENTS)],
    };
  }) as Objects;
}

/**
 * The statements, in the order in which they run.
 * @param before a database of the release before, with the new one's tables
 * @param after a database of the new release
 */
export async function deriveStatements(
  before: postgres.Sql,
  after: postgres.Sql,
): Promise<string[]> {
  const [old, wanted] = [await readObjects(before), await readObjects(after)];
  const former = new Map(old.made.map((one) => [`${one.kind} ${one.name}`, one]));
  const latter = new Set(wanted.made.map((one) => `${one.kind} ${one.name}`));
  const drops: Made[] = old.made.filter((one) => !latter.has(`${one.kind} ${one.name}`));
  const creates: { kind: Made["kind"]; text: string }[] = [];
  for (const one of wanted.made) {
    const before = former.get(`${one.kind} ${one.name}`);
    if (before?.create === one.create) continue;
    const isReplaced = before !== undefined && one.replace !== null &&
      before.signature === one.signature;
    if (before !== undefined && !isReplaced) drops.push(before);
    creates.push({ kind: one.kind, text: isReplaced ? one.replace ?? "" : one.create });
  }
  const of = (kind: Made["kind"]) =>
    creates.filter((one) => one.kind === kind).map(({ text }) => text.trim().replace(/;$/, ""));
  // A trigger stands on its function, and a view may too.
  const dropped = (["trigger", "view", "routine"] as const).flatMap((kind) =>
    drops.filter((one) => one.kind === kind).map(({ drop }) => drop)
  );
  const remade = new Set(creates.length === 0 ? [] : drops.map(({ name }) => name));
  return [
    ...dropped,
    ...of("routine"),
    ...of("view"),
    ...of("trigger"),
    ...deriveComments(old.comments, wanted.comments, remade),
  ].map((statement) => `${statement};`);
}

/** @param remade names of objects that were dropped, and lost their comment */
function deriveComments(
  old: readonly Commented[],
  wanted: readonly Commented[],
  remade: ReadonlySet<string>,
): string[] {
  const former = new Map(old.map(({ object, text }) => [object, text]));
  const isRemade = (object: string) => {
    const name = object.slice(object.indexOf(" ") + 1);
    // A column loses its comment with its view.
    return remade.has(object.startsWith("column ") ? name.slice(0, name.lastIndexOf(".")) : name);
  };
  return wanted.filter(({ object, text }) => former.get(object) !== text || isRemade(object)).map((
    { object, text },
  ) => `comment on ${object} is\n  '${text.replaceAll("'", "''")}'`);
}
