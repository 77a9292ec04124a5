/** The content of the bus, for comparisons. */

import type { TestStack } from "./stack.ts";

/** Everything in every table of the bus, as one text. */
export async function contentOf({ sql }: TestStack): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select oid::regclass::text as name from pg_class
    where relkind in ('r', 'p') and (
      relnamespace = 'messenger'::regnamespace
      or relnamespace = 'public'::regnamespace and relname like 'messenger%'
    ) order by 1`;
  const [row] = await sql.unsafe<{ all: string }[]>(
    `select concat_ws(E'\\n', ${
      tables.map(({ name }) =>
        `'${name} ' || (select md5(string_agg(t::text, ',' order by t::text)) from ${name} t)`
      ).join(", ")
    }) as all`,
  );
  return row?.all ?? "";
}
