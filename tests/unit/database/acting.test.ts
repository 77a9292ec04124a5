/** A client in an operator's name: no change goes past the action log. */

import { assertEquals, assertThrows } from "@std/assert";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../../../supabase/functions/_shared/symphony/database/acting.ts";

function recorded() {
  const calls: unknown[][] = [];
  const client = { rpc: (...call: unknown[]) => void calls.push(call) };
  return { calls, client: actingAs(client as unknown as SupabaseClient, "ada") };
}

Deno.test("a change goes through messenger_act, with or without a query behind its name", () => {
  const { calls, client } = recorded();
  client.rpc("messenger_redrive", { type: "A" });
  client.rpc("messenger_redrive?columns=type", { type: "A" });
  const act = { actor: "ada", operation: "messenger_redrive", args: { type: "A" } };
  assertEquals(calls, Array(2).fill(["messenger_act", act, undefined]));
});

Deno.test("what only reads is called as it is", () => {
  const { calls, client } = recorded();
  client.rpc("messenger_list_schedules?columns=ids", { ids: null });
  client.rpc("messenger_now", {});
  assertEquals(calls.map(([name]) => name), [
    "messenger_list_schedules?columns=ids",
    "messenger_now",
  ]);
});

Deno.test("any other function, and any other way to the database, is refused", () => {
  const { calls, client } = recorded();
  assertThrows(() => client.rpc("messenger_claim", {}), Error, "messenger_claim is no operation");
  assertThrows(() => client.from("messenger_queues"), Error, "has no from");
  assertEquals(calls, []);
});
