/** Foreign keys of a project's own on the tables of the bus, whose rows are deleted when their messages end. Pure. */

import { type Check, failed, passed } from "./check.ts";
import type { Reference } from "./objects.ts";

/** Checks that none keeps a row of the bus from being deleted. */
export function checkReferences(references: readonly Reference[]): Check {
  const name = "foreign keys";
  if (references.length === 0) return passed(name, "none keeps a row of the bus");
  return failed(
    name,
    references.map((one) => `${one.name} of ${one.table} on ${one.on}`).join(", "),
    `A message that has ended is deleted, and such a key refuses that: the message stays, with this error. Let the key delete its rows as well: ${
      references.map(withCascade).join(" ")
    }`,
  );
}

function withCascade({ name, table, definition }: Reference): string {
  const key = definition.replace(/ ON DELETE (RESTRICT|NO ACTION)/, "")
    .replace(
      /REFERENCES [^()]+\([^()]*\)( MATCH \w+)?( ON UPDATE (SET )?\w+( ACTION)?)?/,
      "$& ON DELETE CASCADE",
    );
  return `alter table ${table} drop constraint ${name}, add constraint ${name} ${key};`;
}
