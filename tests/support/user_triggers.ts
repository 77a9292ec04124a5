/** Triggers of a project's own on the tables of the bus. */

import type { TestStack } from "./stack.ts";

export const AT_ONCE = "create trigger refuse before insert or update";
export const AT_COMMIT = "create constraint trigger refuse after insert or update";
export const AT_DELETE = "create trigger refuse before delete";

/** Runs the body while a trigger on the table raises the code, at its statement or at the commit. */
export async function withTrigger(
  stack: TestStack,
  [table, code, when = "true"]: readonly [table: string, code: string, when?: string],
  body: () => Promise<void>,
  create: typeof AT_ONCE | typeof AT_COMMIT | typeof AT_DELETE = AT_ONCE,
): Promise<void> {
  await stack.sql.unsafe(`
    create function public.refuse() returns trigger language plpgsql as $$
    begin
      if ${when} then
        raise exception using errcode = '${code}', message = 'the project refuses it',
          detail = '${code === "PGRST" ? '{"status": 200, "headers": {}}' : ""}';
      end if;
      return coalesce(new, old);
    end $$;
    ${create} on public.${table}
      ${create === AT_COMMIT ? "deferrable initially deferred" : ""}
      for each row execute function public.refuse();
  `);
  try {
    await body();
  } finally {
    await stack.sql.unsafe("drop function public.refuse() cascade");
  }
}
