/** Choices of callers without a secret key: bounds, groups of their own, and the arguments of access rules. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  type AccessRequest,
  defineMessage,
  type MessageOptions,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { authorize, permits } from "../../../supabase/functions/_shared/symphony/http/authorize.ts";
import {
  dispatchBody,
  type DispatchMessage,
} from "../../../supabase/functions/_shared/symphony/http/dispatch-body.ts";
import { Problem } from "../../../supabase/functions/_shared/symphony/http/problem.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

const DAY_MS = 86_400_000;
const log = createLogger({ level: "silent" });
const ann = {
  kind: "user",
  user: { id: "ann", isAnonymous: false },
  claims: { sub: "ann" },
} as unknown as Parameters<typeof authorize>[1];
const visitor = { kind: "publishable" } as const;

const define = (more: Partial<MessageOptions<z.ZodUnknown>> = {}) =>
  defineMessage({
    type: "T",
    schema: z.unknown(),
    handler: () => {},
    access: "anonymous",
    callerOptions: ["delay", "availableAt", "queue", "priority", "groupKey", "schedule"],
    ...more,
  });

const allowed = (
  options: Record<string, unknown>,
  { caller = ann, definition = define(), path = [] as number[] } = {},
) => {
  const body = { type: "T", payload: {}, ...options };
  const message = dispatchBody(body).parse(body) as DispatchMessage;
  return authorize(message, caller, definition, { path, log });
};

const groupOf = async (...args: Parameters<typeof allowed>) => (await allowed(...args)).groupKey;

Deno.test("a user's group key is their own, and a visitor's no user's", async () => {
  assertEquals(await groupOf({ groupKey: "account-1" }), "user:ann:account-1");
  assertEquals(await groupOf({ groupKey: "user:bob:x" }), "user:ann:user:bob:x");
  assertEquals(
    await groupOf({ groupKey: "user:ann:x" }, { caller: visitor }),
    "visitor:user:ann:x",
  );
  assertEquals(await groupOf({}), undefined);
});

Deno.test("a user's long group key is hashed, so that it fits, and stays apart from others", async () => {
  const long = await groupOf({ groupKey: "x".repeat(255) });
  assertEquals(/^user:ann:sha256:[0-9a-f]{64}$/.test(long ?? ""), true);
  assertEquals(await groupOf({ groupKey: "x".repeat(255) }), long);
  assertEquals(await groupOf({ groupKey: "x".repeat(254) + "y" }) === long, false);
});

Deno.test("where groups are shared a key is what it is, but none that is another's own", async () => {
  const definition = define({ sharedGroups: true });
  assertEquals(await groupOf({ groupKey: "team-1" }, { definition }), "team-1");
  for (const groupKey of ["user:bob:x", "visitor:x"]) {
    await assertRejects(() => groupOf({ groupKey }, { definition }), RangeError, "groupKey: ");
  }
});

Deno.test("an invalid group key is refused, also where it would be made a user's own", async () => {
  for (const groupKey of ["", "a\0", "x".repeat(256)]) {
    await assertRejects(() => groupOf({ groupKey }), RangeError, "groupKey: ");
  }
});

const far = (ms: number) => new Date(Date.now() + ms).toISOString();
const once = (ms: number) => ({
  schedule: { type: "once", config: { at: far(ms) } },
});
const daily = { type: "cron", config: { cron: "@daily" } };
const tooFar: [string, (days: number) => Record<string, unknown>, string[]][] = [
  ["delay", (days) => ({ delay: days * DAY_MS }), ["delay"]],
  ["due time", (days) => ({ availableAt: far(days * DAY_MS) }), ["availableAt"]],
  ["schedule", (days) => once(days * DAY_MS), ["schedule", "config", "at"]],
  ["start of a schedule", (days) => ({ schedule: { ...daily, startAt: far(days * DAY_MS) } }), [
    "schedule",
    "startAt",
  ]],
  ["schedule's jitter", (days) => ({ schedule: { ...daily, jitter: days * DAY_MS } }), [
    "schedule",
    "jitter",
  ]],
];
for (const [what, options, path] of tooFar) {
  Deno.test(`a user's ${what} lies at most 30 days ahead, or as far as the definition says`, async () => {
    await allowed(options(29.9));
    const refused = await assertRejects(() => allowed(options(30.1), { path: [2] }), Problem);
    assertEquals([refused.status, refused.issues?.[0]?.path], [400, [2, ...path]]);
    await allowed(options(99), { definition: define({ maxDelay: "100d" }) });
    const short = define({ maxDelay: "1h" });
    await assertRejects(() => allowed(options(1), { definition: short, caller: visitor }), Problem);
  });
}

Deno.test("a user's schedule runs at least every 400 days, or as far apart as a longer maxDelay says", async () => {
  const every = (interval: string, maxRuns?: number) => ({
    schedule: { type: "interval", config: { interval }, ...(maxRuns && { maxRuns }) },
  });
  const short = define({ maxDelay: "1h" });
  for (const definition of [undefined, short]) await allowed(every("400d"), { definition });
  for (const options of [every("401d"), every("36500d"), every("36500d", 1)]) {
    const refused = await assertRejects(() => allowed(options, { path: [2] }), Problem);
    const { issues: [issue] = [] } = refused;
    assertEquals(issue?.path, [2, "schedule", "config", "interval"]);
  }
  await allowed(every("500d"), { definition: define({ maxDelay: "500d" }) });
});

Deno.test("an access rule that never settles, or fails, denies access, and the log says why", async () => {
  const lines: string[] = [];
  const told = createLogger({ level: "error", write: (_, line) => lines.push(line) });
  const rules: [boolean, () => unknown][] = [
    [false, () => new Promise(() => {})],
    [false, () => Promise.reject(new Error("the rule is out of order"))],
    [false, () => Promise.reject(null)],
    [false, () => "yes"],
    [true, () => Promise.resolve(true)],
  ];
  for (const [isAllowed, rule] of rules) {
    assertEquals(await permits(rule, { type: "T" }, told, 20), isAllowed);
  }
  assertEquals(lines.map((line) => JSON.parse(line).error), [
    "the access rule took longer than 20 ms",
    "the rule is out of order",
    "null",
  ]);
});

Deno.test("a rule is told what the caller chose", async () => {
  const asked: AccessRequest<unknown>[] = [];
  const definition = define({
    access: (request) => {
      asked.push(request);
      return request.options.priority !== 9;
    },
  });
  await allowed({ delay: "5m", queue: "q", groupKey: "g", idempotencyKey: "k" }, { definition });
  await allowed({ schedule: daily }, { definition });
  await allowed({}, { definition });
  await assertRejects(() => allowed({ priority: 9 }, { definition }), Problem);
  assertEquals(asked.map(({ options }) => options), [
    { delayMs: 300_000, queue: "q", groupKey: "g", idempotencyKey: "k" },
    { schedule: daily },
    {},
    { priority: 9 },
  ]);
});
