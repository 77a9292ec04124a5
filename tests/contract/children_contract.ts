/** Promises of every transport to `ctx.all`: children are dispatched once, and their parent gets their results. */

import { assert, assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import {
  defineMessage,
  type MessageDefinition,
  RetryManager,
  StepError,
  UnrecoverableError,
  z,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { ExponentialBackoffRetryStrategy } from "../../supabase/functions/_shared/symphony/retry/strategy.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { ProcessLock } from "../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";
import { runWorker } from "../../supabase/functions/_shared/symphony/worker/worker.ts";
import { promises } from "./promises.ts";
import type { TransportUnderTest } from "./under_test.ts";

/** A bus and a worker over the transport. */
function workbenchOver({ transport }: TransportUnderTest, messages: readonly MessageDefinition[]) {
  const log = createLogger({ level: "silent" });
  const registry = createRegistry(messages);
  const strategy = new ExponentialBackoffRetryStrategy({ maxRetries: 0 });
  const retry = new RetryManager({ strategy, transport, registry, log });
  const bus = new MessageBus({ registry, transport });
  const supabase = createClient("http://127.0.0.1:9", "sb_secret_unused");
  const work = () =>
    runWorker({
      ...{ transport, bus, retry, supabase, log, lock: new ProcessLock() },
      ...{ batchSize: 50, concurrency: 5, leaseMs: 60_000, budgetMs: 5_000 },
    });
  return { bus, work };
}

const Double = defineMessage({
  type: "Double",
  schema: z.number(),
  result: z.object({ doubled: z.number() }),
  handler: (n) => {
    if (n < 0) throw new UnrecoverableError(`${n} is too small`);
    return { doubled: n * 2 };
  },
});

/** A parent that notes what it gets. */
function parentOf(
  work: (ctx: Parameters<MessageDefinition["handlers"][number]["handle"]>[1]) => unknown,
) {
  return defineMessage({
    type: "Parent",
    schema: z.null(),
    queue: "parents",
    handler: async (_, ctx) => void await work(ctx),
  });
}

/** Registers the suite for one transport. */
export function testChildren(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a handler gets its children's results, and they run once", async (t) => {
    const seen: unknown[] = [];
    const Parent = parentOf(async ({ all }) => {
      const results = await all("double", [[Double, 1], [Double, 2], [Double, 3]]);
      // The results are typed by the definition.
      seen.push(results.map(({ doubled }) => doubled));
    });
    const { bus, work } = workbenchOver(t, [Double, Parent]);
    await bus.dispatch(Parent, null);
    // A run may end before the fold that makes the parent due.
    const handled = (await work()).handled + (await work()).handled;
    assertEquals(handled, 4);
    assertEquals(seen, [[2, 4, 6]]);
  });

  promise("a handler without children continues at once", async (t) => {
    const seen: unknown[] = [];
    const Parent = parentOf(async ({ all }) => void seen.push(await all("none", [])));
    const { bus, work } = workbenchOver(t, [Parent]);
    await bus.dispatch(Parent, null);
    await work();
    assertEquals(seen, [[]]);
  });

  promise("a child that fails is thrown as StepError, in every run", async (t) => {
    const seen: unknown[] = [];
    const Parent = parentOf(async ({ all, sleep }) => {
      const error = await all("double", [[Double, 1], [Double, -1]]).catch((error) => error);
      assert(error instanceof StepError);
      seen.push(error.message.includes("1 of 2 children failed"));
      await sleep("1s");
    });
    const { bus, work } = workbenchOver(t, [Double, Parent]);
    await bus.dispatch(Parent, null);
    await work();
    await t.advance(1_000);
    await work();
    assertEquals(seen, [true, true]);
  });

  promise("a child in its parent's own queue and group is refused", async (t) => {
    const seen: string[] = [];
    const Parent = parentOf(async ({ all }) => {
      const options = { queue: "parents", groupKey: "g" };
      await all("self", [[Double, 1, options]]).catch((error) => seen.push(String(error)));
    });
    const { bus, work } = workbenchOver(t, [Double, Parent]);
    await bus.dispatch(Parent, null, { groupKey: "g" });
    await work();
    assertEquals(seen.map((text) => text.includes("is in the queue")), [true]);
  });

  promise("a cancelled parent's children are cancelled", async (t) => {
    const Parent = parentOf(async ({ all }) =>
      void await all("later", [[Double, 1, { delay: "1h" }], [Double, 2, { delay: "1h" }]])
    );
    const { bus, work } = workbenchOver(t, [Double, Parent]);
    const id = await bus.dispatch(Parent, null);
    await work();
    await t.transport.cancel({ ids: [id] });
    // The sweep of the next run reaches the children.
    await work();
    assertEquals((await t.failed()).map(({ reason }) => reason), [
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  });

  promise("a cancel dispatches onCancelled, once", async (t) => {
    const Undo = defineMessage({ type: "Undo", schema: z.number(), queue: "undo", handler() {} });
    const { bus } = workbenchOver(t, [Double, Undo]);
    const options = { onCancelled: { type: "Undo", payload: 7 } };
    await bus.dispatchAll([{ type: "Double", payload: 1, options }]);
    await t.transport.cancel({ type: "Double" });
    await t.transport.cancel({ type: "Double" });
    const claim = { token: crypto.randomUUID(), maxMessages: 10, leaseMs: 1_000 };
    const { messages } = await t.transport.claim(claim);
    assertEquals(messages.map(({ type, queue, payload }) => [type, queue, payload]), [[
      "Undo",
      "undo",
      7,
    ]]);
  });
}
