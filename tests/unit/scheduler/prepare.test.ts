/** The messages of due schedules are made as a dispatch makes them, and one's trouble stays its own. */

import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type Middleware,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { fromAdvance } from "../../../supabase/functions/_shared/symphony/database/schedule-rows.ts";
import type { Plan } from "../../../supabase/functions/_shared/symphony/scheduler/plan.ts";
import { prepareRuns } from "../../../supabase/functions/_shared/symphony/scheduler/prepare.ts";
import type { DueSchedule } from "../../../supabase/functions/_shared/symphony/scheduler/schedule.ts";

const at = (text: string) => Date.parse(`2026-01-05T${text}Z`);
const NOW = at("12:00");

const Note = defineMessage({
  type: "Note",
  schema: z.object({ text: z.string() }),
  queue: "notes",
  priority: 7,
  ttl: "1h",
  handler: () => {},
});

const schedule: DueSchedule = {
  type: "cron",
  config: { cron: "0 * * * *" },
  id: "5",
  name: "hourly",
  message: { type: "Note", payload: { text: "hello" } },
  stamps: { user: { id: "u", isAnonymous: false } },
  timezone: "UTC",
  nextRunAt: new Date(at("10:00")),
  lastRunAt: null,
  runCount: 3,
  maxRuns: null,
  startAt: null,
  endAt: null,
  catchUp: "all",
  catchUpLimit: null,
  overlap: "allow",
  whilePaused: "enqueue",
  jitter: 0,
  queue: null,
  priority: null,
  groupKey: "g",
  ttl: null,
  enabled: true,
  disabledBy: null,
  disabledReason: null,
  failingSince: null,
  declared: false,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

/** Three runs, at 10, 11 and 12. */
const plan: Plan = {
  runs: ["10:00", "11:00", "12:00"].map((time) => ({ occurrence: at(time), delayMs: 0 })),
  missed: null,
  note: null,
  nextRunAt: at("13:00"),
  disabled: null,
};

function busOf(...middleware: Middleware[]): MessageBus {
  return new MessageBus({
    registry: createRegistry([Note]),
    transport: new InMemoryTransport(),
    middleware,
  });
}

const prepare = (bus: MessageBus, state: Partial<DueSchedule> = {}) =>
  prepareRuns({ ...schedule, ...state } as DueSchedule, plan, { bus, now: NOW, timeoutMs: 50 });

const stamp = (time: string, run: number) => ({
  id: "5",
  name: "hourly",
  occurrence: new Date(at(time)).toISOString(),
  run,
});

Deno.test("a scheduled message has its definition's values, its run, and the schedule's payload", async () => {
  const advance = await prepare(busOf(), { priority: 2 });
  const { runs, failing, plan: { nextRunAt } } = advance;
  assertEquals([runs.length, failing, nextRunAt], [3, false, at("13:00")]);
  assertEquals(runs[1]?.message?.payload, { text: "hello" });
  // As it is written: the payload that is the schedule's is left out.
  assertEquals(JSON.parse(JSON.stringify(fromAdvance(advance).occurrences[1]?.message)), {
    type: "Note",
    queue: "notes",
    priority: 2,
    ttl_ms: 3_600_000,
    group_key: "g",
    stamps: { user: { id: "u", isAnonymous: false }, schedule: stamp("11:00", 5) },
  });
});

Deno.test("middleware sees each message that a schedule makes, and may change it", async () => {
  const { runs } = await prepare(busOf({
    dispatch: (message) => ({
      ...message,
      queue: "routed",
      payload: { text: `run ${message.stamps?.schedule?.run}` },
      stamps: { ...message.stamps, tenant: "t" },
    }),
  }));
  const messages = runs.map(({ message }) => JSON.parse(JSON.stringify(message)));
  assertEquals(messages.map(({ queue, payload, stamps }) => [queue, payload.text, stamps.tenant]), [
    ["routed", "run 4", "t"],
    ["routed", "run 5", "t"],
    ["routed", "run 6", "t"],
  ]);
});

/** Middleware that fails for one run. */
const failingAt = (run: number, error: Error): Middleware => ({
  dispatch: (message) => {
    if (message.stamps?.schedule?.run === run) throw error;
    return message;
  },
});

Deno.test("a run whose middleware fails is put off, and those before it are made", async () => {
  const advance = await prepare(busOf(failingAt(5, new Error("no route"))));
  assertEquals(advance.runs.map(({ occurrence }) => occurrence), [at("10:00")]);
  assertEquals([advance.plan.nextRunAt, advance.failing], [at("11:00"), true]);
  assertEquals(advance.putOff, { ms: 5_000, reason: "no route" });
});

Deno.test("a run is put off for longer and longer, up to a minute", async () => {
  const pauses = [1, 8, 30, 300, 599].map(async (seconds) => {
    const failingSince = new Date(NOW - seconds * 1_000);
    return (await prepare(busOf(failingAt(4, new Error("down"))), { failingSince })).putOff?.ms;
  });
  assertEquals(await Promise.all(pauses), [5_000, 8_000, 30_000, 60_000, 60_000]);
});

Deno.test("after ten minutes a run whose middleware fails is recorded as failed, and the next made", async () => {
  const failingSince = new Date(NOW - 600_000);
  const advance = await prepare(busOf(failingAt(5, new Error("no route"))), { failingSince });
  assertEquals(advance.runs.map(({ failed }) => failed), [undefined, "no route", undefined]);
  assertEquals([advance.putOff, advance.plan.nextRunAt, advance.failing], [
    undefined,
    at("13:00"),
    false,
  ]);
});

Deno.test("a run that middleware refuses for good is recorded as failed at once", async () => {
  const advance = await prepare(busOf(failingAt(4, new UnrecoverableError("not for you"))));
  assertEquals(advance.runs.map(({ failed }) => failed), ["not for you", undefined, undefined]);
  assertEquals([advance.putOff, advance.failing], [undefined, false]);
});

Deno.test("a run of which middleware makes what does not fit is put off, and never made without middleware", async () => {
  const wrong: [Middleware["dispatch"], string][] = [
    [(message) => ({ ...message, payload: { text: 5 } }), "Note: payload.text: "],
    [(message) => ({ ...message, type: "Nope" }), "type: "],
  ];
  for (const [dispatch, reason] of wrong) {
    const bus = busOf(dispatch ? { dispatch } : {});
    const { runs, putOff } = await prepare(bus);
    assertEquals(runs, []);
    assert(putOff?.reason.startsWith(reason), putOff?.reason);
    const late = await prepare(bus, { failingSince: new Date(NOW - 600_000) });
    assertEquals([late.plan.disabled, late.runs.length], [null, 3]);
    assert(late.runs.every(({ message, failed }) => !message && failed?.startsWith(reason)));
  }
});

Deno.test("middleware that never returns holds up its own run only, for a bounded time", async () => {
  const advance = await prepare(busOf({ dispatch: () => new Promise(() => {}) }));
  assertEquals([advance.runs, advance.plan.nextRunAt], [[], at("10:00")]);
  assertEquals(advance.putOff?.reason, "the message was not made within 50 ms");
});

const unfit: [string, DueSchedule["message"], string][] = [
  ["of an unknown type", { type: "Nope", payload: {} }, "type: "],
  ["whose payload does not fit", { type: "Note", payload: { text: 5 } }, "Note: payload.text: "],
];
for (const [what, message, reason] of unfit) {
  Deno.test(`a schedule ${what} runs as it is stored for ten minutes, and is then disabled`, async () => {
    for (const failingSince of [null, new Date(NOW - 599_000)]) {
      const { runs, failing, plan: { disabled } } = await prepare(busOf(), {
        message,
        failingSince,
      });
      assertEquals(runs, plan.runs);
      assertEquals([failing, disabled], [true, null]);
    }
    const late = await prepare(busOf(), { message, failingSince: new Date(NOW - 600_000) });
    assertEquals([late.plan.disabled?.by, late.plan.nextRunAt], ["invalid", null]);
    assert(late.plan.disabled?.reason.startsWith(reason), late.plan.disabled?.reason);
    assertEquals(late.runs.map(({ failed }) => failed), [late.plan.disabled?.reason]);
  });
}

Deno.test("where nothing is due, nothing is said of the messages", async () => {
  const advance = await prepareRuns(schedule, { ...plan, runs: [] }, { bus: busOf(), now: NOW });
  assertEquals([advance.runs, advance.failing], [[], null]);
});
