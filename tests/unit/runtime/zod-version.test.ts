/** The check of the zod that the library finds. */

import { assertThrows } from "@std/assert";
import * as zod from "zod";
import { checkZod } from "../../../supabase/functions/_shared/symphony/runtime/zod-version.ts";

Deno.test("zod 4 is accepted, and an older one is refused with what to do", () => {
  checkZod(zod);
  // zod 3 has no `core`.
  assertThrows(() => checkZod({ z: {} }), Error, 'install "zod@^4"');
});
