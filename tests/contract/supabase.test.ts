/** The transport over Supabase keeps the contract, through real PostgREST on real Postgres. */

import { HOME_CAPABILITIES } from "../../supabase/functions/_shared/symphony/transport/capabilities.ts";
import type { TestStack } from "../support/stack.ts";
import { startContractStack, supabaseUnderTest } from "./supabase_under_test.ts";
import { testTransport } from "./transport_contract.ts";

let stack: TestStack | undefined;

Deno.test.beforeAll(async () => void (stack = await startContractStack()));
Deno.test.afterAll(async () => await stack?.stop());

testTransport("over Supabase", HOME_CAPABILITIES, async () => {
  if (!stack) throw new Error("the stack did not start");
  return await supabaseUnderTest(stack);
});
