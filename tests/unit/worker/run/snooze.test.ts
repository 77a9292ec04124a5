/** A handler that snoozes has its message again later. */

import { assertEquals, assertThrows } from "@std/assert";
import { define, defineOnce, fail } from "../../../support/definitions.ts";
import { trouble } from "../../../support/trouble.ts";
import { workbench } from "../../../support/worker.ts";
import { Snooze, snooze } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";

Deno.test("a handler that snoozes has its message again later, as if it had not been run", async () => {
  const attempts: number[] = [];
  const hooks: string[] = [];
  const { bus, memory, work } = workbench([
    define((_payload, { attempt }) => {
      attempts.push(attempt);
      return attempts.length < 4 ? snooze("5ms") : undefined;
    }, {
      retry: { maxRetries: 0 },
      onRetry: () => hooks.push("retry"),
      onDeadLetter: () => hooks.push("dead"),
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 1, handled: 1, retried: 0, failed: 0 });
  assertEquals([attempts, hooks, memory.failed], [[1, 1, 1, 1], [], []]);
});

Deno.test("a snoozed message is due when its handler said", async () => {
  const now = Date.UTC(2026, 0, 1);
  const memory = new InMemoryTransport({ now: () => now });
  const { bus, work } = workbench([define(() => snooze("10m"))], { memory });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals(await work(), { claimed: 0, handled: 0, retried: 0, failed: 0 });
  assertEquals(
    memory.messages.map(({ availableAt, attempts, retryCount, errors }) => [
      availableAt.getTime() - now,
      attempts,
      retryCount,
      errors,
    ]),
    [[600_000, 0, 0, []]],
  );
});

Deno.test("of several handlers only those that snoozed come again, after the longest snooze", async () => {
  const runs: string[] = [];
  let now = Date.UTC(2026, 0, 1);
  const memory = new InMemoryTransport({ now: () => now });
  const { bus, work } = workbench([define({
    audit: () => runs.push("audit"),
    mail: () => runs.push("mail") < 4 ? snooze("1m") : undefined,
    invoice: () => runs.push("invoice") < 4 ? snooze("5m") : undefined,
  })], { memory });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  now += 299_999;
  assertEquals((await work({ budgetMs: 0 })).claimed, 0);
  now += 1;
  assertEquals((await work()).handled, 1);
  assertEquals(runs, ["audit", "mail", "invoice", "mail", "invoice"]);
});

Deno.test("where one handler snoozes and another fails, the failure decides", async () => {
  const { bus, memory, work } = workbench([
    define({ later: () => snooze("1h"), bad: fail }, { retry: { maxRetries: 0 } }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals((await work()).failed, 1);
  assertEquals(memory.failed[0]?.envelope.errors.map(({ handler }) => handler), ["bad"]);
  assertEquals(memory.failed[0]?.envelope.stamps.handledBy, undefined);
});

Deno.test("a snooze that is no duration is refused", () => {
  assertThrows(() => snooze("soon" as "1s"), RangeError, "snooze: has to be");
});

Deno.test("a snooze that is no duration is refused where it is made", () => {
  for (const wrong of [NaN, Infinity, -1, "soon", null, undefined, 1e30]) {
    assertThrows(() => new Snooze(wrong as number), RangeError, "snooze: ");
    assertThrows(() => snooze(wrong as number), RangeError, "snooze: ");
  }
});

Deno.test("a handler that makes an impossible snooze fails, and its message alone", async () => {
  const { reason, errors } = await trouble(defineOnce(() => new Snooze(NaN)));
  assertEquals([reason, errors[0]?.class], ["exhausted", "RangeError"]);
});
