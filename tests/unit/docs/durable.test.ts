/** The quickstart of docs/durable.md: its handler does what the steps around it say. */

import { assert, assertEquals } from "@std/assert";
import type { MessageDefinition } from "../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../supabase/functions/_shared/symphony/testing.ts";

const LIBRARY = new URL("../../../supabase/functions/_shared/symphony/index.ts", import.meta.url);

/** The definition in the first numbered step of the page. */
async function definitionOfPage(): Promise<MessageDefinition> {
  const page = await Deno.readTextFile("docs/durable.md");
  const [, code = ""] = page.match(/\n1\. Put this[^]*?```ts\n([^]*?)```/) ?? [];
  assert(code, "the page has a quickstart");
  const source = code.replace('"symphony-messenger"', JSON.stringify(LIBRARY.href));
  const { Ship } = await import(`data:application/typescript,${encodeURIComponent(source)}`);
  return Ship;
}

Deno.test("the quickstart of durable work fails on purpose, keeps its first step, and sleeps once it is mended", async () => {
  const Ship = await definitionOfPage();
  const t = createTestMessenger({ messages: [Ship] });
  await t.dispatch(Ship, { order: 7, broken: true });
  assertEquals((await t.drain()).retried, 1);
  await t.advance("2s");
  assertEquals((await t.drain()).failed, 1);
  assertEquals(t.failed().map(({ reason }) => reason), ["exhausted"]);

  await t.dispatch(Ship, { order: 8 });
  assertEquals((await t.drain()).handled, 0);
  await t.advance("1m");
  assertEquals((await t.drain()).handled, 1);
});
