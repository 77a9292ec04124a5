/** Dispatches of batch handlers are written with outcomes of their messages. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { workbench } from "../../../support/worker.ts";
import {
  type BatchHandler,
  defineMessage,
  snooze,
} from "../../../../supabase/functions/_shared/symphony/index.ts";

const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });

/** Runs three messages in one batch, with one retry each, and returns what was written. */
async function childrenOf(handleBatch: BatchHandler<number>) {
  const definition = defineMessage({
    type: "B",
    schema: z.number(),
    handleBatch,
    retry: { maxRetries: 1, delay: 1 },
  });
  const { bus, memory, work } = workbench([definition, Child]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "B", payload })));
  await work();
  const children = memory.sent.filter(({ type }) => type === "Child");
  return { children: children.map(({ payload }) => payload).toSorted(), memory };
}

Deno.test("each message of a batch has its own dispatches written with its own outcome", async () => {
  const { children } = await childrenOf(async (messages) => {
    for (const { payload, attempt, dispatch } of messages) {
      await dispatch(Child, `${payload} at ${attempt}`);
    }
    return messages.map(({ payload, attempt }) =>
      payload === 2 && attempt === 1 ? new Error("no luck") : undefined
    );
  });
  assertEquals(children, ["1 at 1", "2 at 2", "3 at 1"]);
});

Deno.test("what the batch dispatches is written once, although one of its messages fails", async () => {
  const { children } = await childrenOf(async (messages, ctx) => {
    await ctx.dispatch(Child, messages.map(({ payload }) => payload).join());
    return messages.map(({ payload, attempt, envelope }) => {
      if (payload === 1 && attempt === 1) return new Error("no luck");
      return payload === 2 && envelope.snoozes === 0 ? snooze(100) : undefined;
    });
  });
  // The retry and the snoozed message come in calls of their own.
  assertEquals(children.includes("1,2,3"), true);
  assertEquals(children.flatMap((child) => `${child}`.split(",")).length, 5);
});

Deno.test("what the batch dispatches is dropped if all of its messages fail", async () => {
  let calls = 0;
  const { children } = await childrenOf(async (_, ctx) => {
    await ctx.dispatch(Child, ++calls);
    if (calls === 1) throw new Error("no luck");
  });
  // The retries are due at moments of their own, so they may come in several calls.
  assertEquals(children.length > 0, true);
  assertEquals(children, Array.from({ length: calls - 1 }, (_, index) => index + 2));
});

Deno.test("what the batch dispatches at once is there, whatever becomes of its messages", async () => {
  let calls = 0;
  const { children } = await childrenOf(async (_, ctx) => {
    await ctx.dispatchNow(Child, ++calls);
    throw new Error("no luck");
  });
  assertEquals(children, Array.from({ length: calls }, (_, index) => index + 1));
});
