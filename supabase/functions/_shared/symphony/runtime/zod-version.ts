/**
 * Refuses a zod other than 4. Modules that make schemas fail with zod 3 as they load, by the name of a method that
 * it lacks, so this one is imported before them.
 */

import * as zod from "zod";

/** @throws Error if the module is not zod 4 */
export function checkZod(module: object): void {
  if ("core" in module) return;
  throw new Error(
    "zod: symphony-messenger needs zod 4 and got an older one; " +
      'install "zod@^4", or set it in the import map: "zod": "npm:zod@^4"',
  );
}

checkZod(zod);
