/** The timeline of a message. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { timelineOf, type TimelineSource } from "../../../console/timeline/timeline-entries.ts";

const T0 = Date.parse("2026-11-27T12:00:00Z");
const at = (ms: number) => new Date(T0 + ms).toISOString();
const error = (attempt: number, ms: number, more: object = {}) => ({
  ...{ message: "timeout", class: "TimeoutError", attempt, at: at(ms), durationMs: 300 },
  ...more,
});
const MESSAGE: TimelineSource = {
  ...{ createdAt: at(0), attempts: 2, errors: [], steps: [], status: "pending", retryCount: 1 },
  availableAt: at(9_000),
};

Deno.test("attempts follow the creation, each with its duration and the wait before it", () => {
  const entries = timelineOf({ ...MESSAGE, errors: [error(1, 500), error(2, 2_800)] });
  assertEquals(
    entries.map((one) =>
      one.kind === "attempt" ? [one.attempt, one.waitedMs, one.durationMs] : one.kind
    ),
    ["created", [1, 200, 300], [2, 2_000, 300], "due"],
  );
});

Deno.test("the errors of several handlers are of one attempt", () => {
  const errors = [error(1, 500, { handler: "mail" }), error(1, 500, { handler: "audit" })];
  const [, attempt] = timelineOf({ ...MESSAGE, errors });
  assertEquals(
    attempt?.kind === "attempt" && attempt.failures.map(({ handler }) => handler),
    ["mail", "audit"],
  );
});

Deno.test("attempts whose errors are no longer kept are counted", () => {
  const [, , later] = timelineOf({ ...MESSAGE, errors: [error(1, 500), error(40, 90_000)] });
  assertEquals(later?.kind === "attempt" && later.forgotten, 38);
});

Deno.test("attempts after a redrive begin with 1 again, and none is missing", () => {
  const [, , later] = timelineOf({ ...MESSAGE, errors: [error(4, 500), error(1, 90_000)] });
  assertEquals(later?.kind === "attempt" && [later.attempt, later.forgotten], [1, 0]);
});

Deno.test("steps and waits are between the attempts, in the order in which they were stored", () => {
  const step = (name: string, ms: number) => ({
    ...{ handler: "", name, key: "", nth: 1, kind: "step" as const, status: "done" as const },
    ...{ until: null, createdAt: at(ms), waitsFor: null, resultBytes: 2 },
  });
  const entries = timelineOf({
    ...MESSAGE,
    errors: [error(1, 500)],
    steps: [step("charge", 300), step("ship", 900)],
  });
  assertEquals(
    entries.map((one) => one.kind === "step" ? one.step.name : one.kind),
    ["created", "charge", "attempt", "ship", "due"],
  );
});

Deno.test("a dead letter ends with its reason, a running message with its lease", () => {
  const dead = timelineOf({
    ...{ ...MESSAGE, status: "failed", failedAt: at(9_000), reason: "exhausted" },
  });
  assertEquals(dead.at(-1), { kind: "dead", at: T0 + 9_000, reason: "exhausted" });
  const running = timelineOf({ ...MESSAGE, status: "processing", leasedUntil: at(60_000) });
  assertEquals(running.at(-1), { kind: "running", at: T0 + 60_000, attempt: 2 });
});

Deno.test("errors of any content do no harm", () => {
  fc.assert(fc.property(fc.array(fc.jsonValue()), (errors) => {
    timelineOf({ ...MESSAGE, errors });
  }));
});
