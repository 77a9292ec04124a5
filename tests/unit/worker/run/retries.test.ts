/** Attempts that fail: retries, dead letters, and who is told of them. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { define, fail } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";
import {
  defineMessage,
  RecoverableError,
  UnrecoverableError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";

Deno.test("a handler that always throws runs maxRetries + 1 times, then the message is a dead letter", async () => {
  let runs = 0;
  const { bus, memory, work } = workbench([
    define((...args) => (runs++, fail(...args)), { retry: { maxRetries: 2, delay: 10 } }),
  ]);
  const [id] = await bus.dispatchAll([{ type: "T", payload: 1 }]);
  const report = await work();
  assertEquals(report, { claimed: 3, handled: 0, retried: 2, failed: 1 });
  const [letter] = memory.failed;
  assertEquals([runs, letter?.envelope.id, letter?.reason], [3, id, "exhausted"]);
  assertEquals(
    letter?.envelope.errors.map(({ message, attempt }) => [message, attempt]),
    [["no luck", 1], ["no luck", 2], ["no luck", 3]],
  );
});

Deno.test("an UnrecoverableError is not retried", async () => {
  const { bus, memory, work } = workbench([define(() => {
    throw new UnrecoverableError("the card is stolen");
  })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 1, handled: 0, retried: 0, failed: 1 });
  assertEquals(memory.failed[0]?.reason, "unrecoverable");
});

Deno.test("a RecoverableError is retried beyond maxRetries, after its own delay", async () => {
  let runs = 0;
  const { bus, work } = workbench([define(() => {
    if (++runs < 4) throw new RecoverableError("busy", { retryDelay: 1 });
  }, { retry: { maxRetries: 0, delay: "1h" } })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 4, handled: 1, retried: 3, failed: 0 });
});

Deno.test("a retry runs only the handlers that have not succeeded", async () => {
  const runs: string[] = [];
  const { bus, memory, work } = workbench([define({
    audit: () => runs.push("audit"),
    mail: () => {
      runs.push("mail");
      if (runs.length < 5) throw new Error("no route");
    },
    invoice: () => runs.push("invoice"),
  })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).handled, 1);
  assertEquals(runs, ["audit", "mail", "invoice", "mail", "mail"]);
  assertEquals(memory.failed, []);
});

Deno.test("the history names the handler that failed", async () => {
  const { bus, memory, work } = workbench([
    define({ good: () => {}, bad: fail }, { retry: { maxRetries: 0 } }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed[0]?.envelope.errors.map(({ handler }) => handler), ["bad"]);
  assertEquals(memory.failed[0]?.envelope.stamps.handledBy, ["good"]);
});

Deno.test("a handler that takes longer than its timeout is told, and its attempt has failed", async () => {
  let told: unknown;
  const { bus, memory, work } = workbench([define((_payload, { signal }) => {
    signal.addEventListener("abort", () => told = signal.reason);
    return new Promise(() => {});
  }, { timeout: 20, stopGrace: 20, retry: { maxRetries: 0 } })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).failed, 1);
  assertEquals(memory.failed[0]?.envelope.errors[0]?.class, "HandlerTimeoutError");
  assertEquals((told as Error).name, "HandlerTimeoutError");
});

Deno.test("a stored message of unknown type, and one that no longer parses, go to the dead letters", async () => {
  let runs = 0;
  const strict = defineMessage({
    type: "Strict",
    schema: z.object({ to: z.string() }),
    handler: () => runs++,
  });
  let now = Date.UTC(2026, 0, 1);
  const memory = new InMemoryTransport({ now: () => now });
  const { bus, work } = workbench([strict], { memory });
  await memory.send([{ type: "Gone", payload: {} }, { type: "Strict", payload: { to: 5 } }]);
  await bus.dispatch(strict, { to: "x" });
  assertEquals(await work({ budgetMs: 500 }), { claimed: 3, handled: 1, retried: 1, failed: 1 });
  for (let looks = 1; looks < 8; looks++) {
    now += 320_000;
    await work({ budgetMs: 500 });
  }
  assertEquals(memory.failed.map(({ reason }) => reason), ["invalid", "unknown_type"]);
  assert(memory.failed[0]?.envelope.errors[0]?.message.includes("to"));
  assertEquals(memory.failed[1]?.envelope.errors.length, 8);
  assertEquals(runs, 1);
});

Deno.test("a message older than its ttl goes to the dead letters without running", async () => {
  let now = Date.UTC(2026, 0, 1);
  let runs = 0;
  const memory = new InMemoryTransport({ now: () => now });
  const { bus, work } = workbench([define(() => runs++, { ttl: "1s" })], { memory });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  now += 1_500;
  assertEquals((await work()).failed, 1);
  assertEquals([memory.failed[0]?.reason, runs], ["expired", 0]);
});

Deno.test("what has expired is buried while all slots are busy, and of a paused queue", async () => {
  let now = Date.UTC(2026, 0, 1);
  const memory = new InMemoryTransport({ now: () => now });
  const ends = Promise.withResolvers<void>();
  const { bus, work } = workbench([
    define(async () => {
      now += 1_500;
      await ends.promise;
    }, { onDeadLetter: () => ends.resolve() }),
  ], { memory });
  memory.queues.set("held", { paused: true });
  const options = { ttl: "1s" } as const;
  await bus.dispatchAll([
    { type: "T", payload: "runs", options: { priority: 9 } },
    { type: "T", payload: "brief", options },
    { type: "T", payload: "brief", options: { ...options, queue: "held" } },
  ]);
  // The handler ends when the other one is dead.
  now += 1_500;
  await work({ concurrency: 1 });
  assertEquals(memory.failed.map(({ reason }) => reason), ["expired", "expired"]);
});

Deno.test("hooks are told of retries and of the end, and an error in them changes nothing", async () => {
  const told: unknown[] = [];
  const { bus, memory, work, lines } = workbench([define(fail, {
    retry: { maxRetries: 1, delay: 1 },
    onRetry: ({ delayMs, errors }) => {
      told.push(["retry", delayMs, errors.length]);
      throw new Error("the pager is down");
    },
    onDeadLetter: ({ reason }) => {
      told.push(["dead", reason]);
      return Promise.reject(new Error("the pager is down"));
    },
  })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 2, handled: 0, retried: 1, failed: 1 });
  assertEquals(told, [["retry", 1, 1], ["dead", "exhausted"]]);
  assertEquals(
    [memory.failed.length, lines.filter(({ event }) => event === "hook_failed").length],
    [
      1,
      2,
    ],
  );
});

Deno.test("a retry rule that throws does not lose the message", async () => {
  const { bus, memory, work, lines } = workbench([define(fail, {
    classify: () => {
      throw new Error("broken rule");
    },
    retry: {
      getDelay: () => Number.NaN,
      shouldRetry: () => {
        throw new Error("broken rule");
      },
    },
  })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  // The bus's own strategy holds.
  assertEquals(await work(), { claimed: 4, handled: 0, retried: 3, failed: 1 });
  assertEquals(memory.failed.map(({ reason }) => reason), ["exhausted"]);
  assert(lines.some(({ event }) => event === "retry_rule_failed"));
});
