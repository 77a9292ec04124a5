/** Every kind of refusal over HTTP names its field once, to users, backends and operators alike. */

import { assert } from "@std/assert";
import { asUser } from "../support/frontend.ts";
import { addFailed, ask } from "../support/management.ts";
import { assertPlainRefusal } from "../support/problems.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "x" } };
const hourly = { type: "interval", config: { interval: "1h" } };
const far = "2999-01-01T00:00:00Z";

type Method = Parameters<typeof ask>[1];

/** Bodies of a dispatch, each with one mistake. */
const DISPATCHES: readonly unknown[] = [
  null,
  1,
  {},
  [],
  [note, {}],
  { ...note, type: 5 },
  { ...note, type: "" },
  { ...note, type: "no such type" },
  { ...note, type: "x".repeat(300) },
  { type: "Note" },
  { ...note, payload: 1 },
  { ...note, payload: { text: 5, more: [] } },
  { type: "Small", payload: { text: "x".repeat(50) } },
  { ...note, dealy: 1 },
  { ...note, delay: "soon" },
  { ...note, delay: -1 },
  { ...note, delay: "1h", availableAt: far },
  { ...note, availableAt: "tomorrow" },
  { ...note, availableAt: "0000-01-01T00:00:00Z" },
  { ...note, queue: "a b" },
  { ...note, queue: 1 },
  { ...note, priority: 5000 },
  { ...note, priority: "high" },
  { ...note, idempotencyKey: "" },
  { ...note, groupKey: "\0" },
  { ...note, groupKey: "x".repeat(300) },
  ...[
    1,
    {},
    { type: "hourly", config: {} },
    { type: "cron" },
    { type: "cron", config: { cron: 1 } },
    { type: "cron", config: { cron: "* * * *" } },
    { type: "cron", config: { cron: "0 0 30 2 *" } },
    { type: "cron", config: { cron: "@daily", at: far } },
    { type: "cron", config: { cron: "@daily" }, timezone: "Nowhere" },
    { type: "once", config: { at: "tomorrow" } },
    { type: "once", config: { at: "2000-01-01T00:00:00Z" } },
    { type: "once", config: { at: far }, maxRuns: 5 },
    { type: "interval", config: { interval: "1ms" } },
    { ...hourly, timezone: "Europe/Paris" },
    { ...hourly, maxRuns: 0 },
    { ...hourly, startAt: far, endAt: "2998-01-01T00:00:00Z" },
    { ...hourly, endAt: "2000-01-01T00:00:00Z" },
    { ...hourly, catchUp: "some" },
    { ...hourly, catchUpLimit: 5 },
    { ...hourly, overlap: "never" },
    { ...hourly, jitter: "soon" },
    { ...hourly, jitter: "1h", ttl: "1m" },
    { ...hourly, ttl: 0 },
    { ...hourly, name: "" },
    { ...hourly, enabled: false },
  ].map((schedule) => ({ ...note, type: "Choosy", payload: {}, schedule })),
  { ...note, type: "Nope", schedule: hourly },
  { ...note, payload: {}, schedule: hourly },
  { ...note, queue: "a b", schedule: hourly },
  { ...note, delay: "1h", schedule: hourly },
];

/** Changes of a schedule, each with one mistake. */
const CHANGES: readonly object[] = [
  {},
  { enabled: 1 },
  { payload: { text: 1 } },
  { declared: true },
  ...[
    { name: "x" },
    { type: "hourly", config: {} },
    { type: "cron" },
    { config: {} },
    { config: { cron: "x" } },
    { type: "cron", config: { cron: "0 0 30 2 *" } },
    { config: { interval: "1ms" } },
    { timezone: "Nowhere" },
    { startAt: far },
    { maxRuns: -1 },
    { catchUpLimit: 5 },
    { ttl: 0 },
  ].map((schedule) => ({ schedule })),
];

/** Requests to the management API, each with one mistake. */
const MANAGED: readonly (readonly [Method, path: string, body?: unknown])[] = [
  ["GET", "/messages?limit=0"],
  ["GET", "/messages?status=done"],
  ["GET", "/messages?foo=1"],
  ["GET", "/messages/x"],
  ["GET", "/messages/999999"],
  ["POST", "/messages/cancel", {}],
  ["POST", "/messages/cancel", { all: true, type: "Note" }],
  ["POST", "/messages/cancel", { ids: [1] }],
  ["POST", "/messages/run", { ids: ["x"] }],
  ["GET", "/failed-messages?from=x"],
  ["POST", "/failed-messages/redrive", {}],
  ["POST", "/failed-messages/redrive", { type: "" }],
  ["POST", "/failed-messages/redrive", { type: "Note", queue: "a b" }],
  ["POST", "/failed-messages/FAILED/redrive", { payload: { text: 5 } }],
  ["POST", "/failed-messages/FAILED/redrive", { toQueue: "a b" }],
  ["POST", "/failed-messages/FAILED/redrive", { delay: "soon" }],
  ["POST", "/failed-messages/999999/redrive", {}],
  ["POST", "/failed-messages/remove", {}],
  ["POST", "/prune", {}],
  ["POST", "/queues", { name: "a b" }],
  ["POST", "/queues", {}],
  ["POST", "/queues", { name: "default" }],
  ["PATCH", "/queues/default", { concurrency: 0 }],
  ["PATCH", "/queues/default", { weight: 0 }],
  ["PATCH", "/queues/default", { leaseMs: 1 }],
  ["GET", "/queues/a b"],
  ["GET", "/schedules?cursor=x"],
  ["GET", "/schedules/999999"],
  ["DELETE", "/schedules/999999"],
  ["GET", "/schedules/SCHEDULE/preview?n=0"],
  ["GET", "/schedules/SCHEDULE/runs?limit=x"],
  ["POST", "/schedules/SCHEDULE/pause", { reason: 1 }],
  ["POST", "/schedules/SCHEDULE/trigger", { count: "yes" }],
  ["POST", "/setup", { secretKey: 1 }],
  ["GET", "/actions?limit=x"],
  ["GET", "/ticks?limit=x"],
  ["GET", "/ticks?alive=yes"],
  ["GET", "/stats?minutes=x"],
  ["GET", "/nowhere"],
  ["PUT", "/queues/default", {}],
];

async function assertRefused(response: Response, told: string): Promise<void> {
  const body = await response.json();
  assert(response.status >= 400 && response.status < 500, `${told} was ${response.status}`);
  assertPlainRefusal(body, told);
}

async function schedule(stack: TestStack, headers?: Record<string, string>): Promise<string> {
  const open = { type: "Open", payload: { text: "x" }, schedule: hourly };
  return (await (await stack.post("dispatch", open, headers)).json()).scheduleId;
}

testsOnStack({}, (test) => {
  test("a refused dispatch names its field once, alone and in an array, with a secret key and for a user", async (stack) => {
    const callers = { "a secret key": { apikey: stack.secretKey }, "a user": await asUser(stack) };
    for (const [name, headers] of Object.entries(callers)) {
      for (const body of DISPATCHES) {
        const bodies = Array.isArray(body) ? [body] : [body, [{ ...note, type: "Open" }, body]];
        for (const sent of bodies) {
          const told = `${name}: ${JSON.stringify(sent).slice(0, 300)}`;
          const response = await stack.post("dispatch", sent, headers);
          // Frontends may not choose what a secret key may, and the reverse.
          await assertRefused(response, told);
        }
      }
    }
  });

  test("a refused change of a user's own schedule names its field once", async (stack) => {
    const ada = await asUser(stack);
    const id = await schedule(stack, ada);
    for (const body of CHANGES) {
      const response = await fetch(`${stack.url}/functions/v1/dispatch/schedules/${id}`, {
        method: "PATCH",
        headers: { "content-type": "application/json", ...ada },
        body: JSON.stringify(body),
      });
      await assertRefused(response, JSON.stringify(body));
    }
  });

  test("a refused request of a user for what is their own names its field once", async (stack) => {
    const ada = await asUser(stack);
    const requests = [
      ["GET", "messages?limit=x"],
      ["GET", "messages?status=x"],
      ["GET", "messages?type=&cursor=x"],
      ["GET", "schedules?limit=x"],
      ["GET", "999999"],
      ["DELETE", "999999"],
      ["DELETE", "schedules/999999"],
      ["PUT", "999999"],
    ] as const;
    for (const [method, path] of requests) {
      const url = `${stack.url}/functions/v1/dispatch/${path}`;
      await assertRefused(await fetch(url, { method, headers: ada }), `${method} ${path}`);
    }
    for (const ids of [undefined, [], [1], ["x".repeat(200)]]) {
      const response = await stack.post("dispatch/status", { ids }, ada);
      await assertRefused(response, `status of ${JSON.stringify(ids)}`);
    }
  });

  test("a refused request of an operator names its field once", async (stack) => {
    const ids = { FAILED: await addFailed(stack), SCHEDULE: await schedule(stack) };
    const filled = (path: string) =>
      path.replace(/FAILED|SCHEDULE/, (name) => ids[name as keyof typeof ids]);
    const changes = CHANGES.flatMap((change) => "schedule" in change ? [change.schedule] : []);
    const requests = [
      ...MANAGED,
      ...DISPATCHES.filter((body) =>
        typeof body === "object" && body !== null && "schedule" in body
      )
        .map((body) => ["POST", "/schedules", body] as const),
      ...changes.filter((change) =>
        !("name" in (change as object)) && !("startAt" in (change as object))
      )
        .map((change) => ["PATCH", "/schedules/SCHEDULE", change] as const),
    ];
    for (const [method, path, body] of requests) {
      const { status, body: answer } = await ask(stack, method, filled(path), body);
      const told = `${method} ${path} ${JSON.stringify(body ?? "").slice(0, 300)}`;
      assert(status >= 400 && status < 500, `${told} was ${status}`);
      assertPlainRefusal(answer, told);
    }
  });
});
