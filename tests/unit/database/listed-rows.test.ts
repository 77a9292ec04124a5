/** Rows of lists: names in snake_case and camelCase. */

import { assertEquals } from "@std/assert";
import {
  fromRow,
  toArguments,
} from "../../../supabase/functions/_shared/symphony/database/listed-rows.ts";

Deno.test("names change at every depth, save in what is the user's", () => {
  assertEquals(
    fromRow({ last_run_at: 1, payload: { a_b: 1 }, rows: [{ c_d: { e_f: null } }] }),
    { lastRunAt: 1, payload: { a_b: 1 }, rows: [{ cD: { eF: null } }] },
  );
  assertEquals(toArguments({ maxRuns: 1, dryRun: undefined, payload: { aB: 1 } }), {
    max_runs: 1,
    payload: { aB: 1 },
  });
});
