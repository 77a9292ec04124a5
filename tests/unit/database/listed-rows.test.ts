/** Rows of lists: names in snake_case and camelCase. */

import { assertEquals } from "@std/assert";
import {
  fromRow,
  toArguments,
} from "../../../supabase/functions/_shared/symphony/database/listed-rows.ts";

Deno.test("column names become camelCase at every depth, except in values of the user's", () => {
  assertEquals(
    fromRow({ last_run_at: 1, payload: { a_b: 1 }, rows: [{ c_d: { e_f: null } }] }),
    { lastRunAt: 1, payload: { a_b: 1 }, rows: [{ cD: { eF: null } }] },
  );
  // The value of an event, and what an alert posted.
  for (const content of ["value", "body"]) {
    const row = { [content]: { order_id: 7, rows: [{ sum_total: 1 }] } };
    assertEquals(fromRow(row), row);
  }
  assertEquals(toArguments({ maxRuns: 1, dryRun: undefined, payload: { aB: 1 } }), {
    max_runs: 1,
    payload: { aB: 1 },
  });
});
