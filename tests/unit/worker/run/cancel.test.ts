/** Messages that are cancelled before or while they run. */

import { assert, assertEquals } from "@std/assert";
import { define, fail } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import { CancelledError } from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("a handler whose message is cancelled is told, and the message is a dead letter", async () => {
  let told: unknown;
  const hooks: string[] = [];
  const { bus, memory, work } = workbench([
    define(async (_payload, { envelope, signal }) => {
      signal.addEventListener("abort", () => told = signal.reason);
      await memory.cancel({ ids: [envelope.id] });
      return new Promise(() => {});
    }, { stopGrace: 20, onDeadLetter: ({ reason }) => hooks.push(reason) }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work({ leaseMs: 300 }), { claimed: 1, handled: 0, retried: 0, failed: 1 });
  assert(told instanceof CancelledError);
  assertEquals(hooks, ["cancelled"]);
  const [letter] = memory.failed;
  assertEquals([letter?.reason, letter?.envelope.errors[0]?.class], [
    "cancelled",
    "CancelledError",
  ]);
});

Deno.test("a message that is cancelled before its turn is not run", async () => {
  const seen: unknown[] = [];
  const { bus, memory, work } = workbench([
    define(async (payload, { signal }) => {
      seen.push(payload);
      await memory.cancel({ type: "T" });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    }),
  ]);
  await bus.dispatchAll([1, 2].map((payload) => ({ type: "T", payload })));
  assertEquals((await work({ concurrency: 1, leaseMs: 300 })).failed, 2);
  assertEquals(seen, [1]);
  assertEquals(memory.failed.map(({ reason }) => reason), ["cancelled", "cancelled"]);
});

Deno.test("a handler that succeeds before it is told of the cancel has handled its message", async () => {
  const { bus, memory, work } = workbench([
    define((_payload, { envelope }) => memory.cancel({ ids: [envelope.id] })),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 1, handled: 1, retried: 0, failed: 0 });
  assertEquals(memory.failed, []);
});

Deno.test("a cancelled message whose handler fails is not told of as a retry", async () => {
  const hooks: string[] = [];
  const { bus, memory, work } = workbench([
    define(async (payload, ctx) => {
      await memory.cancel({ ids: [ctx.envelope.id] });
      return fail(payload, ctx);
    }, { onRetry: () => hooks.push("retry") }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).retried, 0);
  assertEquals([hooks, memory.failed[0]?.reason], [[], "cancelled"]);
});

Deno.test("no step begins after the cancel of a message that has stored one", async () => {
  const notes: string[] = [];
  const { bus, memory, work } = workbench([
    define(async (_payload, ctx) => {
      await ctx.step("first", () => memory.cancel({ ids: [ctx.envelope.id] }));
      await ctx.step("second", () => void notes.push("second"));
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).failed, 1);
  assertEquals([notes, memory.failed[0]?.reason], [[], "cancelled"]);
});

Deno.test("a cancel stops the steps that run beside the one that is told of it", async () => {
  const notes: unknown[] = [];
  const { bus, memory, work } = workbench([
    define(async (_payload, ctx) => {
      await Promise.all([
        ctx.step(
          "long",
          ({ signal }) =>
            new Promise<void>((resolve) =>
              signal.addEventListener("abort", () => {
                notes.push(signal.reason instanceof CancelledError);
                resolve();
              })
            ),
        ),
        ctx.step("short", () => memory.cancel({ ids: [ctx.envelope.id] })),
      ]);
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).failed, 1);
  assertEquals([notes, memory.failed[0]?.reason], [[true], "cancelled"]);
});
