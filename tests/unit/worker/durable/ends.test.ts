/** How a run of durable work ends: at the end of its time, by an interruption, by a lost lease, by a timeout. */

import { assertEquals } from "@std/assert";
import {
  AttemptOverError,
  type HandlerContext,
  TransportError,
  UnrecoverableError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { isInstance } from "../../../../supabase/functions/_shared/symphony/runtime/inspect.ts";
import { failing } from "../../../support/changed_transport.ts";
import { define, never } from "../../../support/definitions.ts";
import { workbench } from "../../../support/worker.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const ENDS: Record<string, (ctx: HandlerContext) => Promise<unknown>> = {
  "a failed step": (ctx) =>
    ctx.step("bad", () => {
      throw new Error("busy");
    }),
  "a sleep": (ctx) => ctx.sleep("1h"),
};

/** A step that runs until its attempt is stopped. */
const untilStopped = ({ signal }: { signal: AbortSignal }) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

Deno.test("a step that does not fit into the run begins in the next one, at once and uncharged", async () => {
  const runs: number[][] = [];
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      const own: number[] = [];
      runs.push(own);
      for (let n = 0; n < 4; n++) {
        await ctx.step("part", async () => {
          own.push(n);
          await pause(40);
        });
      }
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  // A slow machine may spend a run's time before the handler starts.
  for (let round = 0; memory.messages.length > 0 && round < 100; round++) {
    const { handled, retried, failed } = await work({ budgetMs: 20 });
    assertEquals([handled, retried, failed], [Number(memory.messages.length === 0), 0, 0]);
    const [waiting] = memory.messages;
    if (waiting) {
      assertEquals([waiting.attempts, waiting.availableAt.getTime() <= Date.now()], [0, true]);
    }
  }
  assertEquals(runs, [[0], [1], [2], [3]]);
});

Deno.test("the timeout begins again with each stored step", async () => {
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      for (let n = 0; n < 8; n++) await ctx.step("part", () => pause(60));
    }, { timeout: 250 }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ budgetMs: 10_000 });
  assertEquals([memory.handled.length, memory.handled[0]?.errors], [1, []]);
});

Deno.test("the timeout begins again with the first step of a run", async () => {
  // Work before and the step have 400 ms together, and 250 are enough for each.
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      await pause(200);
      await ctx.step("work", () => pause(200));
    }, { timeout: 250 }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals([memory.handled.length, memory.handled[0]?.errors], [1, []]);
});

Deno.test("a step's own timeout may be longer than the message's", async () => {
  const { bus, work, memory } = workbench([
    define((_payload, ctx) => ctx.step("long", () => pause(120), { timeout: "1s" }), {
      timeout: 50,
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals([memory.handled.length, memory.handled[0]?.errors], [1, []]);
});

Deno.test("a step's timeout that is longer than a tick can run is refused", async () => {
  const { bus, work, memory } = workbench([
    define((_payload, ctx) => ctx.step("long", () => 1, { timeout: "10m" })),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ maxMs: 10_000 });
  assertEquals(memory.failed.map(({ reason, envelope }) => [reason, envelope.errors[0]?.message]), [
    [
      "unrecoverable",
      'ctx.step "long": timeout: is 600000 ms, longer than a tick can run (10000 ms); divide the step, or run the ' +
      "message in a worker",
    ],
  ]);
});

/** Interrupts each run of a message in the step that runs at the time. Returns its row after each run. */
async function interrupted(runs: number, handler: (ctx: HandlerContext) => Promise<unknown>) {
  const { bus, work, memory } = workbench([define((_payload, ctx) => handler(ctx))]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  const rows: unknown[] = [];
  for (let run = 0; run < runs; run++) {
    const end = new AbortController();
    setTimeout(() => end.abort(), 30);
    await work({ signal: end.signal });
    const [row] = memory.messages;
    rows.push(row ? [row.attempts, row.retryCount, row.interruptions] : memory.failed[0]?.reason);
    await pause(10);
  }
  return rows;
}

Deno.test("interruptions cost nothing while steps are stored", async () => {
  let calls = 0;
  const rows = await interrupted(4, async (ctx) => {
    for (let n = 0; n < 5; n++) {
      await ctx.step("quick", () => 1);
      // Each run stores one more step, and is interrupted in the next.
      await ctx.step("slow", (step) => ++calls % 2 === 1 ? untilStopped(step) : 1);
    }
  });
  assertEquals(rows.slice(0, 3), [[0, 0, 1], [0, 0, 1], [0, 0, 1]]);
});

Deno.test("a second interrupted run in a row that stored nothing is charged", async () => {
  const rows = await interrupted(4, (ctx) => ctx.step("never", untilStopped));
  assertEquals(rows, [[0, 0, 1], [1, 1, 0], [1, 1, 1], [2, 2, 0]]);
});

Deno.test("a step whose save gets lost is stored by the repeated call, and is not computed again", async () => {
  let lost = 2;
  let calls = 0;
  const { bus, work, memory } = workbench([
    define((_payload, ctx) => ctx.step("once", () => ++calls)),
  ], {
    wrap: (memory) =>
      failing(
        memory,
        (operation, when) =>
          operation === "saveSteps" && when === "after" && lost-- > 0
            ? new TransportError(operation, "the answer was lost", true)
            : undefined,
      ),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals([calls, memory.handled.length], [1, 1]);
});

Deno.test("a step whose save takes too long is saved again, and at last its attempt is retried", async () => {
  for (const [late, runs] of [[2, 1], [3, 2]] as const) {
    let left = late;
    let calls = 0;
    const { bus, work, memory } = workbench([
      define((_payload, ctx) => ctx.step("once", () => ++calls)),
    ], {
      wrap: (memory) =>
        failing(
          memory,
          (operation, when) =>
            operation === "saveSteps" && when === "before" && left-- > 0
              ? new TransportError(operation, "statement timeout", true, { fault: "too_much" })
              : undefined,
        ),
    });
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await work();
    assertEquals([calls, memory.handled.length], [runs, 1]);
  }
});

Deno.test("a step that the database refuses fails for good, and the steps beside it are stored", async () => {
  const { bus, work, memory } = workbench([
    define(async (payload, ctx) => {
      await ctx.step("part", () => payload === 3 ? "refused" : "fine").catch((error) => {
        if (payload !== 3) throw error;
      });
    }),
  ], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      saveSteps: (saves) => {
        if (JSON.stringify(saves).includes('"refused"')) {
          throw new TransportError("saveSteps", "no such value", false);
        }
        return memory.saveSteps(saves);
      },
    }),
  });
  await bus.dispatchAll([1, 2, 3, 4, 5].map((payload) => ({ type: "T", payload })));
  await work();
  assertEquals([memory.handled.length, memory.failed.length], [5, 0]);
});

Deno.test("a worker whose lease is lost stores no step, and its run ends", async () => {
  const notes: string[] = [];
  const { bus, work, memory } = workbench([
    define(async (_payload, ctx) => {
      notes.push("run");
      try {
        await ctx.step("part", () => pause(5));
      } catch {
        notes.push("caught");
      }
    }),
  ], {
    wrap: (memory) => ({
      ...failing(memory, () => undefined),
      saveSteps: (saves) => Promise.resolve({ stale: saves.map(({ id }) => id) }),
    }),
  });
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ budgetMs: 50, maxMs: 200 });
  assertEquals(notes.includes("caught"), false);
  assertEquals(memory.handled.length, 0);
});

Deno.test("the next attempt waits for a step's function that ignored its timeout", async () => {
  const notes: string[] = [];
  let calls = 0;
  const { bus, work, memory } = workbench([
    define((_payload, ctx) =>
      ctx.step("deaf", async () => {
        const call = ++calls;
        notes.push(`begin ${call}`);
        if (call === 1) await pause(150);
        notes.push(`end ${call}`);
      }, { timeout: 20 })
    ),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work({ budgetMs: 5_000 });
  assertEquals(notes, ["begin 1", "end 1", "begin 2", "end 2"]);
  assertEquals(memory.handled.length, 1);
});

Deno.test("a durable call that its handler does not await is left out with a warning", async () => {
  for (const call of ["step", "sleep"] as const) {
    const { bus, work, memory, lines } = workbench([
      define((_payload, ctx) => {
        if (call === "step") void ctx.step("forgotten", () => 1);
        else void ctx.sleep("1d");
      }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await work();
    assertEquals(memory.handled.length, 1);
    const told = lines.filter(({ event }) => event === "step_not_awaited");
    assertEquals(told.map(({ step }) => step), [call === "step" ? "forgotten" : "sleep"]);
  }
});

Deno.test("a step that did not begin because another one failed is not warned of", async () => {
  const { bus, work, lines } = workbench([
    define(async (_payload, ctx) => {
      await Promise.all([
        ctx.step("bad", () => {
          throw new UnrecoverableError("no");
        }),
        ctx.step("good", () => 1).then(() => ctx.step("next", () => 1)),
      ]);
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(lines.filter(({ event }) => event === "step_not_awaited"), []);
});

for (const [end, call] of Object.entries(ENDS)) {
  Deno.test(`work beside a call is told by ctx.signal that ${end} has ended the run`, async () => {
    const told: unknown[] = [];
    const { bus, work, memory } = workbench([
      define(async (_payload, ctx) => {
        const beside = new Promise((_, reject) => {
          ctx.signal.addEventListener("abort", () => {
            told.push([isInstance(ctx.signal.reason, AttemptOverError), memory.messages.length]);
            reject(ctx.signal.reason);
          });
        });
        try {
          await Promise.all([call(ctx), beside]);
        } catch {
          await ctx.step("late", () => told.push("late"));
        }
      }, { retry: { maxRetries: 3, delay: "1h" } }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await work();
    assertEquals([told, memory.messages.length], [[[true, 1]], 1]);
  });
}

Deno.test("work beside a failed step that ignores ctx.signal writes nothing under the attempt that is over", async () => {
  const refused: unknown[] = [];
  const began = Promise.withResolvers<HandlerContext>();
  const { bus, work, memory, lines } = workbench([
    define(async (payload, ctx) => {
      if (payload === "child") return;
      began.resolve(ctx);
      await Promise.all([ctx.step("pay", () => Promise.reject(new Error("no luck"))), never]);
    }, { retry: { maxRetries: 3, delay: "1h" } }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  const ctx = await began.promise;
  const refuse = (error: unknown) => void refused.push(isInstance(error, AttemptOverError));
  const child = define(() => {});
  await ctx.dispatch(child, "child").catch(refuse);
  await ctx.dispatchNow(child, "child").catch(refuse);
  await ctx.emit("x", 1).catch(refuse);
  ctx.progress(0.5);
  ctx.log.info("late");
  void ctx.step("late", () => refused.push("ran"));
  void ctx.effect("late").catch(refuse);
  void ctx.sleep("1s").catch(refuse);
  await pause(5);
  assertEquals(refused, [true, true, true]);
  assertEquals(lines.filter(({ event }) => event === "late"), []);
  assertEquals(memory.messages.map(({ attempts, retryCount }) => [attempts, retryCount]), [[1, 1]]);
});
