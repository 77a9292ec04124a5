/** Calls about batches: a refusal of the database names a field as code does. */

import { assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { writeBatch } from "../../../supabase/functions/_shared/symphony/database/batch-calls.ts";

Deno.test("a callback that the database refuses has its name of the code", async () => {
  for (const [given, told] of [["on_finished", "onFinished"], ["on_failed", "onFailed"]]) {
    const message = `${given}: payload: has 9000000 bytes; has to have at most 8388608`;
    const fetch = () => Promise.resolve(Response.json({ code: "PT413", message }, { status: 413 }));
    const client = createClient("http://127.0.0.1:9", "sb_secret_unused", { global: { fetch } });
    const chunk = { head: { name: "b" }, messages: [], chunk: 1, isLast: true };
    await assertRejects(
      () => writeBatch(client, chunk, [], 1_000),
      RangeError,
      `${told}: payload: has 9000000 bytes`,
    );
  }
});
