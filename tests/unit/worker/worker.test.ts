/** What a worker does with the messages it claims. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  CancelledError,
  defineMessage,
  type Handler,
  type MessageDefinition,
  type MessageOptions,
  RecoverableError,
  snooze,
  type Transport,
  TransportError,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { workbench } from "../../support/worker.ts";

const define = (
  handler: MessageOptions<z.ZodUnknown>["handler"],
  more: Partial<MessageOptions<z.ZodUnknown>> = {},
): MessageDefinition => defineMessage({ type: "T", schema: z.unknown(), handler, ...more });

const fail: Handler<unknown> = () => {
  throw new Error("no luck");
};

Deno.test("a worker handles what is due, and ends at once when nothing more is", async () => {
  const seen: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => seen.push(payload))]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  await bus.dispatchAll([{ type: "T", payload: 4, options: { delay: "1h" } }]);
  assertEquals(await work({ budgetMs: 600_000 }), {
    claimed: 3,
    handled: 3,
    retried: 0,
    failed: 0,
  });
  assertEquals([seen, memory.messages.length], [[1, 2, 3], 1]);
});

Deno.test("a worker drains more than one batch", async () => {
  const { bus, memory, work } = workbench([define(() => {})]);
  await bus.dispatchAll(Array.from({ length: 95 }, (_, payload) => ({ type: "T", payload })));
  assertEquals((await work()).handled, 95);
  assertEquals(memory.messages, []);
});

Deno.test("no more handlers run at once than the concurrency", async () => {
  let running = 0;
  let most = 0;
  const { bus, work } = workbench([define(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  })]);
  await bus.dispatchAll(Array.from({ length: 30 }, (_, payload) => ({ type: "T", payload })));
  await work({ batchSize: 20, concurrency: 3 });
  assertEquals(most, 3);
});

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

Deno.test("at the end of its budget a worker gives back what it has not started", async () => {
  const { bus, memory, work } = workbench([
    define(() => new Promise((resolve) => setTimeout(resolve, 100))),
  ]);
  await bus.dispatchAll(Array.from({ length: 10 }, (_, payload) => ({ type: "T", payload })));
  const report = await work({ concurrency: 2, budgetMs: 50 });
  assertEquals(report, { claimed: 2, handled: 2, retried: 0, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), Array(8).fill(0));
});

Deno.test("a worker that is told to end starts nothing more and tells its handlers", async () => {
  const end = new AbortController();
  const { bus, memory, work } = workbench([define((_payload, { signal }) => {
    end.abort();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  })]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  const report = await work({ concurrency: 1, signal: end.signal });
  assertEquals(report, { claimed: 1, handled: 0, retried: 1, failed: 0 });
  assertEquals(memory.messages.map(({ attempts }) => attempts), [0, 0, 0]);
  assertEquals(memory.messages.map(({ interruptions = 0 }) => interruptions), [1, 0, 0]);
});

Deno.test("a message from a crash runs alone, while its innocent company is handled", async () => {
  let running = 0;
  const company: number[] = [];
  const { bus, memory, work } = workbench([define(async () => {
    company.push(++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  })]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  // A worker claims them and dies: its lease is over at once.
  await memory.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 0 });
  const report = await work();
  assertEquals([report.handled, report.failed, memory.messages.length], [3, 0, 0]);
  assertEquals(company, [1, 1, 1]);
});

Deno.test("only a crash of a message that ran alone is charged, and the last one is its end", async () => {
  const { bus, memory, work, retry } = workbench([define(() => {}, { retry: { maxRetries: 1 } })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  const crash = async (quarantined: boolean) => {
    const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 0, sweep: false };
    await memory.claim({ ...claim, quarantined });
    const { crashed } = await memory.claim({ ...claim, token: crypto.randomUUID(), sweep: true });
    const { CrashError } = await import(
      "../../../supabase/functions/_shared/symphony/message/errors.ts"
    );
    for (const envelope of crashed) {
      const outcome = retry.decide(envelope, new CrashError(), { durationMs: 0 });
      const settled = outcome.kind === "retry" ? { ...outcome, delayMs: 0 } : outcome;
      const { id, leaseToken } = envelope;
      await memory.settle([{ id, leaseToken, outcome: settled }]);
    }
  };
  const state = () =>
    memory.messages.map(({ retryCount, quarantined }) => [retryCount, quarantined]);
  await crash(false);
  assertEquals(state(), [[0, true]]);
  await crash(true);
  assertEquals(state(), [[1, true]]);
  await crash(true);
  assertEquals([state(), memory.failed[0]?.reason], [[], "crashed"]);
  assertEquals((await work()).claimed, 0);
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

Deno.test("middleware stands around the handlers, the first outermost", async () => {
  const order: string[] = [];
  const around = (name: string) => ({
    handle: async (_ctx: unknown, next: () => Promise<void>) => {
      order.push(`${name} before`);
      await next();
      order.push(`${name} after`);
    },
  });
  const { bus, work } = workbench([define(() => order.push("handler"))], {
    middleware: [around("outer"), around("inner")],
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(order, ["outer before", "inner before", "handler", "inner after", "outer after"]);
});

Deno.test("a handler may dispatch, and the same worker takes the new message", async () => {
  const seen: string[] = [];
  const second = defineMessage({
    type: "Second",
    schema: z.string(),
    handler: (payload) => seen.push(payload),
  });
  const first = defineMessage({
    type: "First",
    schema: z.string(),
    handler: async (payload, { dispatch }) => void await dispatch(second, `${payload} again`),
  });
  const { bus, work } = workbench([first, second]);
  await bus.dispatch(first, "hello");
  assertEquals((await work()).handled, 2);
  assertEquals(seen, ["hello again"]);
});

/** A transport that fails as told, before the call or after it. */
function failing(
  memory: InMemoryTransport,
  fault: (operation: string, when: "before" | "after") => Error | undefined,
): Transport {
  const guard = <Args extends unknown[], Answer>(
    operation: string,
    call: (...args: Args) => Promise<Answer>,
  ) =>
  async (...args: Args) => {
    const before = fault(operation, "before");
    if (before) throw before;
    const answer = await call.apply(memory, args);
    const after = fault(operation, "after");
    if (after) throw after;
    return answer;
  };
  return {
    send: guard("send", memory.send),
    claim: guard("claim", memory.claim),
    settle: guard("settle", memory.settle),
    settleAndClaim: guard("settle", memory.settleAndClaim),
    extendLeases: guard("extendLeases", memory.extendLeases),
    reportProgress: guard("reportProgress", memory.reportProgress),
    cancel: guard("cancel", memory.cancel),
  };
}

Deno.test("a claim and a settle whose answers are lost are repeated, and nothing runs twice", async () => {
  const lost = new Set(["claim", "settle"]);
  const seen: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => seen.push(payload))], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          when === "after" && lost.delete(operation)
            ? new TransportError(operation, "connection reset", true)
            : undefined,
      ),
  });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  assertEquals(await work(), { claimed: 3, handled: 3, retried: 0, failed: 0 });
  assertEquals([seen, memory.messages, lost.size], [[1, 2, 3], [], 0]);
});

Deno.test("a settle is repeated while the lease holds; after that the message is delivered again", async () => {
  let away = true;
  const runs: unknown[] = [];
  const { bus, memory, work } = workbench([define((payload) => runs.push(payload))], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          away && when === "before" && operation !== "claim"
            ? new TransportError(operation, "the database is away", true)
            : undefined,
      ),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await assertRejects(() => work({ leaseMs: 300 }), TransportError, "the database is away");
  assertEquals(memory.messages.length, 1);
  away = false;
  assertEquals((await work({ budgetMs: 3_000 })).handled, 1);
  assertEquals([runs, memory.messages], [[1, 1], []]);
});

Deno.test("a settlement that the database refuses does not hold back the others", async () => {
  const { bus, memory, work, lines } = workbench([define(() => {})], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      settle: (settlements) =>
        settlements.some(({ id }) => id === "2")
          ? Promise.reject(new TransportError("settle", "refused", false))
          : memory.settle(settlements),
      settleAndClaim: () => Promise.reject(new TransportError("settle", "refused", false)),
    }),
  });
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  assertEquals((await work()).handled, 2);
  assertEquals(memory.messages.map(({ id }) => id), ["2"]);
  assert(lines.some(({ event, id }) => event === "settle_refused" && id === "2"));
});

Deno.test("a handler whose lease is lost is told", async () => {
  let told: unknown;
  const { bus, work, lines } = workbench([
    define((_payload, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(told = signal.reason))
      )
    ),
  ], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      extendLeases: (leases) =>
        Promise.resolve({ lost: leases.flatMap(({ ids }) => ids), cancelled: [] }),
    }),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ leaseMs: 30, budgetMs: 100 });
  assertEquals((told as Error).message, "the lease was lost");
  assert(lines.some(({ event }) => event === "lease_lost"));
});

Deno.test("a worker does not miss the moment at which a message falls due, wherever the clock moves on", async () => {
  const { now } = performance;
  // So many ms pass between any two readings of the clock.
  for (let step = 1; step <= 50; step++) {
    const { bus, work } = workbench([define(() => {})]);
    await bus.dispatchAll([{ type: "T", payload: 1, options: { delay: 2 } }]);
    let ahead = 0;
    performance.now = () => now.call(performance) + (ahead += step);
    let missed: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        missed = setTimeout(() => reject(new Error(`missed with steps of ${step} ms`)), 2_000);
      });
      const report = await Promise.race([work({ budgetMs: 3_600_000 }), late]);
      assertEquals(report.handled, 1);
    } finally {
      clearTimeout(missed);
      performance.now = now;
    }
  }
});

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
