/** Another Supabase project keeps the promises of engines, through real PostgREST on real Postgres. */

import { supabaseProject } from "../../supabase/functions/_shared/symphony/index.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { type Arrived, testEngineSending } from "./engine_sending_contract.ts";

let other: TestStack | undefined;

Deno.test.beforeAll(async () => void (other = await startTestStack()));
Deno.test.afterAll(async () => await other?.stop());

testEngineSending("another project", async () => {
  if (!other) throw new Error("the stack did not start");
  const { sql, url, secretKey: key } = other;
  await other.clear();
  return {
    engine: supabaseProject({ url, key }),
    arrived: async () => {
      const rows = await sql<Arrived[]>`
        select type, payload, queue, priority, group_key as "groupKey", stamps - 'origin' as stamps
        from public.messenger_messages order by id`;
      return rows.map((row) => ({ ...row }));
    },
    close: () => Promise.resolve(),
  };
});
