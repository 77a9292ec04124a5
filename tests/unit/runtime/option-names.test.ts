/** Options: one that is not known, or contradicts another, is refused by its name everywhere. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  ExponentialBackoffRetryStrategy,
  redrive,
  RetryManager,
  Scheduler,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../../supabase/functions/_shared/symphony/bus/bus.ts";
import { parseDedupe } from "../../../supabase/functions/_shared/symphony/message/dedupe.ts";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { SupabaseTransport } from "../../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { nearest } from "../../../supabase/functions/_shared/symphony/runtime/option-names.ts";
import { createWorker } from "../../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { workbench } from "../../support/worker.ts";

const Mail = defineMessage({
  type: "Mail",
  schema: z.object({ to: z.string() }),
  ttl: "1h",
  handler: () => {},
});
const Any = defineMessage({ type: "Any", schema: z.unknown(), handler: () => {} });

const define = (more: object) =>
  defineMessage({ type: "T", schema: z.unknown(), handler: () => {}, ...more });

const definitions: [object, string][] = [
  [{ timeOut: "1s" }, "T: timeOut: no such option; did you mean timeout?"],
  [{ acess: "anonymous" }, "T: acess: no such option; did you mean access?"],
  [{ concurrency: 3 }, "T: concurrency: no such option; there are type, schema"],
  [{ handler: undefined, handleBatch: () => {}, batch: { sise: 5 } }, "T: batch.sise: no such"],
  [
    { rateLimit: { total: { max: 1, per: "1m", burst: 5 } } },
    "T: rateLimit: total: burst: no such",
  ],
  [{ dedupe: { window: "1m", windw: "1m" } }, "T: dedupe: windw: no such option; did you mean"],
  [{ callerOptions: ["dealy"] }, "T: callerOptions: has to be an array of delay, "],
  [{ callerOptions: "delay" }, "T: callerOptions: has to be an array"],
  [{ live: "yes" }, "T: live: has to be true or false"],
  [{ sharedGroups: 1 }, "T: sharedGroups: has to be true or false"],
  [{ maxDelay: "soon" }, "T: maxDelay: has to be"],
  [{ classify: "transient" }, "T: classify: has to be a function"],
  [{ onDeadLetter: {} }, "T: onDeadLetter: has to be a function"],
  [{ ttl: 0 }, "T: ttl: has to be more than 0"],
];
for (const [options, message] of definitions) {
  Deno.test(`a definition with ${JSON.stringify(options)} is refused by name`, () => {
    assertThrows(() => define(options), RangeError, message);
  });
}

const dispatches: [object, string][] = [
  [{ dealy: "1h" }, "dealy: no such option; did you mean delay?"],
  [{ delay_ms: 5 }, "delay_ms: no such option"],
  [{ idempotency_key: "k" }, "idempotency_key: no such option; did you mean idempotencyKey?"],
  [{ ttl: "1m", delay: "1m" }, "ttl: has to be longer than the delay"],
  [{ delay: "1h" }, "delay: has to be shorter than the type's ttl"],
  [{ ttl: 0 }, "ttl: has to be longer"],
  [{ ttl: "1m", availableAt: new Date(Date.now() + 3_600_000) }, "ttl: ends before"],
  [{ availableAt: "2026-01-01T00:00:00Z" }, "availableAt: has to be a valid Date"],
  [{ stamps: { at: { when: NaN } } }, "stamps.at.when: has to be a finite number"],
  [{ stamps: new Map() }, "stamps: has to be a plain object"],
  [{ idempotencyKey: "k", idempotencyScope: "a\0" }, "idempotencyScope: has to be"],
];
for (const [options, message] of dispatches) {
  Deno.test(`a dispatch with ${Deno.inspect(options)} is refused by name, alone, in an array and in a handler`, async () => {
    const { bus, memory } = workbench([Mail]);
    const payload = { to: "a" };
    await assertRejects(() => bus.dispatch(Mail, payload, options), RangeError, message);
    await assertRejects(
      () => bus.dispatchAll([{ type: "Mail", payload }, { type: "Mail", payload, options }]),
      RangeError,
      message,
    );
    assertEquals(memory.messages.length, 0);
  });
}

Deno.test("an option beside the payload instead of in its place is refused by name", async () => {
  const { bus } = workbench([Any]);
  const message = { type: "Any", payload: 1, delay: "1h" };
  await assertRejects(() => bus.dispatchAll([message]), RangeError, "delay: no such option");
});

Deno.test("options of a messenger and of transports that are not known are refused by name", () => {
  const options = { supabase: undefined as never, messages: [], middelware: [] };
  assertThrows(
    () => createMessenger(options),
    RangeError,
    "middelware: no such option; did you mean",
  );
  const clock = { clock: Date.now };
  assertThrows(() => new InMemoryTransport(clock as object), RangeError, "clock: no such option");
  const timeout = { timeout: 5 };
  assertThrows(
    () => new SupabaseTransport(undefined as never, timeout as object),
    RangeError,
    "timeout: no such option; did you mean timeoutMs?",
  );
  assertThrows(
    () => parseDedupe({ window: "1m", x: 1 } as never, "dedupe"),
    RangeError,
    "x: no such",
  );
});

const makers: [string, () => unknown, string][] = [
  [
    "a logger",
    () => createLogger({ levl: "warn" } as object),
    "levl: no such option; did you mean level?",
  ],
  [
    "a logger's level",
    () => createLogger({ level: "loud" as "info" }),
    "level: has to be one of debug,",
  ],
  [
    "a retry manager",
    () =>
      new RetryManager({ strategy: new ExponentialBackoffRetryStrategy(), tranport: 1 } as never),
    "tranport: no such option; did you mean transport?",
  ],
  [
    "a retry manager's strategy",
    () => new RetryManager({} as never),
    "strategy: has to be a retry",
  ],
  ["a scheduler", () => new Scheduler({ declare: [] } as never), "declare: no such option"],
  [
    "a bus",
    () => new MessageBus({ registry: new Map(), middelware: [] } as never),
    "middelware: no",
  ],
];
for (const [what, make, message] of makers) {
  Deno.test(`what is wrong with ${what} is refused by name`, () => {
    assertThrows(make, RangeError, message);
  });
}

const messenger = createMessenger({ supabase: undefined as never, messages: [] });
const worker = createWorker(messenger);
const scheduler = new Scheduler({ supabase: undefined as never });
const calls: [string, () => Promise<unknown>, string][] = [
  [
    "work",
    () => worker.work({ budgetMs: 5, maxMesages: 1 } as never),
    "maxMesages: no such option; did you mean maxMessages?",
  ],
  [
    "work's own parts",
    () => worker.work({ budgetMs: 5, concurrency: 1 } as never),
    "concurrency: no such",
  ],
  ["work without options", () => worker.work(undefined as never), "options: have to be"],
  ["work's budget", () => worker.work({ budgetMs: "30s" as never }), "budgetMs: has to be"],
  ["work without a budget", () => worker.work({} as never), "budgetMs: has to be"],
  ["work's time", () => worker.work({ budgetMs: 5, maxMs: NaN }), "maxMs: has to be"],
  ["work's messages", () => worker.work({ budgetMs: 5, maxMessages: -1 }), "maxMessages: has"],
  ["work's queues", () => worker.work({ budgetMs: 5, queues: "mail" as never }), "queues: has"],
  ["work with no queues", () => worker.work({ budgetMs: 5, queues: [] }), "queues: has"],
  [
    "work's signal",
    () => worker.work({ budgetMs: 5, signal: new AbortController() as never }),
    "signal: has to be an AbortSignal",
  ],
  [
    "a tick",
    () => worker.tick({ caller: "left", budgetMs: 5, queue: ["a"] } as never),
    "queue: no such option; did you mean queues?",
  ],
  ["a tick's caller", () => worker.tick({ budgetMs: 5 } as never), "caller: has to be left or"],
  [
    "the run of schedules",
    () => worker.runSchedules({ budgetMs: 5, limit: 10 } as never),
    "limit: no such option; there are budgetMs",
  ],
  [
    "a redrive",
    () => redrive(undefined as never, messenger.bus, { all: true, dryrun: true } as never),
    "dryrun: no such option; did you mean dryRun?",
  ],
  [
    "a redrive's times",
    () =>
      redrive(undefined as never, messenger.bus, {
        failedFrom: new Date(2),
        failedUntil: new Date(1),
      }),
    "failedUntil: has to come after failedFrom",
  ],
  [
    "a cancel in memory",
    () => new InMemoryTransport().cancel({ queue: "a", typ: "B" } as never),
    "typ: no such option",
  ],
  [
    "a cancel",
    () => new SupabaseTransport(undefined as never).cancel({ all: true, dryRun: true } as never),
    "dryRun: no such option",
  ],
  ["a sync", () => scheduler.sync({ dryrun: true } as never), "dryrun: no such option; did you"],
  ["a trigger", () => scheduler.trigger("1", { counted: true } as never), "counted: no such"],
  ["an unschedule", () => scheduler.unschedule("1", { user: "u" } as never), "user: no such"],
  ["a list of schedules", () => scheduler.list({ type: "Mail" } as never), "type: no such option"],
  ["a user's page", () => scheduler.listOfUser("u", { cursor: "1" } as never), "cursor: no such"],
];
for (const [what, call, message] of calls) {
  Deno.test(`what is wrong with the options of ${what} is refused by name`, async () => {
    await assertRejects(call, RangeError, message);
  });
}

Deno.test("a schedule is refused whose message has more than type and payload, or waits beyond its ttl", async () => {
  const { bus } = workbench([Mail]);
  const scheduler = new Scheduler({ supabase: undefined as never, bus });
  const hourly = { type: "interval", config: { interval: "1h" } } as const;
  const message = { type: "Mail", payload: { to: "a" } };
  const more = { ...message, queue: "q" };
  await assertRejects(
    () => scheduler.schedule(more, hourly),
    RangeError,
    "message: queue: no such",
  );
  await assertRejects(
    () => scheduler.schedule(message, { ...hourly, jitter: "1h" }),
    RangeError,
    "jitter: has to be shorter than the type's ttl of 3600000 ms",
  );
});

Deno.test("a variable that is nearly the name of a setting is refused by name", () => {
  Deno.env.set("SYMPHONY_WORKER_CONCURENCY", "5");
  try {
    assertThrows(
      () => readConfig(),
      RangeError,
      "SYMPHONY_WORKER_CONCURENCY: no such variable; did you mean SYMPHONY_WORKER_CONCURRENCY?",
    );
  } finally {
    Deno.env.delete("SYMPHONY_WORKER_CONCURENCY");
  }
  readConfig();
});

Deno.test("the nearest name is the one with up to two letters wrong", () => {
  const known = ["delay", "availableAt", "queue", "groupKey"];
  const found = ["dealy", "Delay", "available_at", "queu", "grupKy", "ttl", "colour", ""]
    .map((name) => nearest(name, known));
  assertEquals(found, [
    "delay",
    "delay",
    "availableAt",
    "queue",
    "groupKey",
    undefined,
    undefined,
    undefined,
  ]);
});
