/** Definitions with a batch handler: their options and types. */

import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  type BatchContext,
  defineMessage,
} from "../../../../supabase/functions/_shared/symphony/index.ts";

const schema = z.object({ n: z.number() });

const wrong: [string, object, string][] = [
  ["no handler at all", {}, "B: handler: has to be a function"],
  [
    "both kinds of handler",
    { handler: () => {}, handleBatch: () => {} },
    "B: handleBatch: give either",
  ],
  [
    "a batch without handleBatch",
    { handler: () => {}, batch: { size: 5 } },
    "B: batch: needs handleBatch",
  ],
  ["a handleBatch that is no function", { handleBatch: 5 }, "B: handleBatch: has to be a function"],
  ["an empty batch", { handleBatch: () => {}, batch: { size: 0 } }, "B: batch.size: has to be"],
  ["a batch of half a message", { handleBatch: () => {}, batch: { size: 1.5 } }, "B: batch.size"],
  ["a batch of 1001", { handleBatch: () => {}, batch: { size: 1001 } }, "B: batch.size"],
];

for (const [name, options, message] of wrong) {
  Deno.test(`a definition with ${name} is refused`, () => {
    const given = { type: "B", schema, handler: undefined, ...options };
    assertThrows(() => defineMessage(given as never), RangeError, message);
  });
}

Deno.test("payloads of a batch are typed by the schema", () => {
  const definition = defineMessage({
    type: "B",
    schema,
    handleBatch: (messages, ctx: BatchContext) => {
      const payloads: readonly { n: number }[] = messages.map(({ payload }) => payload);
      // @ts-expect-error: the payload has no such field
      ctx.log.info("payloads", { count: payloads.length, m: messages[0]?.payload.m });
    },
  });
  assertEquals(definition.batch?.size, 50);
});
