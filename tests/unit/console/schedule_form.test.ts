/** The form of a schedule: its requests, and where problems belong. */

import { assertEquals } from "@std/assert";
import { ApiProblem } from "../../../console/api/api-problem.ts";
import { placeProblems } from "../../../console/pages/schedules/schedule-form-errors.ts";
import {
  changesOf,
  durationText,
  errorsOf,
  inputOf,
  momentOf,
  NEW_SCHEDULE,
  newScheduleOf,
  textsOf,
} from "../../../console/pages/schedules/schedule-form-model.ts";

const texts = { ...NEW_SCHEDULE, type: "Note", payload: '{"text":"x"}', name: "digest" };

const stored: Parameters<typeof textsOf>[0] = {
  id: "7",
  name: "digest",
  type: "interval",
  config: { interval: 90_000 },
  timezone: "UTC",
  nextRunAt: null,
  lastRunAt: null,
  runCount: 3,
  maxRuns: 10,
  startAt: null,
  endAt: "2026-12-01T10:00:05.250Z",
  catchUp: "latest",
  catchUpLimit: null,
  overlap: "skip",
  whilePaused: "enqueue",
  jitter: 0,
  queue: "mail",
  priority: null,
  groupKey: null,
  ttl: 3_600_000,
  enabled: true,
  disabledBy: null,
  disabledReason: null,
  failingSince: null,
  declared: false,
  createdAt: "2026-11-01T00:00:00Z",
  updatedAt: "2026-11-01T00:00:00Z",
  message: { type: "Note", payload: { amount: "12345678901234567890" } },
};

Deno.test("a new schedule has the options that were given, and no others", () => {
  assertEquals(newScheduleOf({ ...texts, maxRuns: "5", queue: "mail", startAt: "" }), {
    type: "Note",
    payload: { text: "x" },
    queue: "mail",
    schedule: {
      type: "cron",
      config: { cron: "0 9 * * *" },
      name: "digest",
      timezone: "UTC",
      maxRuns: 5,
      catchUp: "latest",
      overlap: "allow",
      whilePaused: "enqueue",
    },
  });
});

Deno.test("options without an effect on a kind are not sent", () => {
  const once = newScheduleOf({ ...texts, kind: "once", at: "2026-12-01T10:00", maxRuns: "5" });
  assertEquals(once.schedule, {
    type: "once",
    config: { at: momentOf("2026-12-01T10:00") ?? "" },
    name: "digest",
    catchUp: "latest",
    whilePaused: "enqueue",
  });
});

Deno.test("a form that is opened and not changed changes nothing", () => {
  const before = textsOf(stored);
  assertEquals([before.interval, before.ttl], ["90s", "1h"]);
  assertEquals(changesOf(before, before), {});
});

Deno.test("what differs is sent, and what was emptied is removed", () => {
  const before = textsOf(stored);
  assertEquals(changesOf({ ...before, maxRuns: "", ttl: "2h", queue: "" }, before), {
    maxRuns: null,
    ttl: "2h",
    queue: null,
  });
  assertEquals(changesOf({ ...before, kind: "cron", cron: "@daily", timezone: "UTC" }, before), {
    type: "cron",
    config: { cron: "@daily" },
    timezone: "UTC",
  });
  assertEquals(changesOf({ ...before, payload: '{"amount":1}' }, before), {
    payload: { amount: 1 },
  });
});

Deno.test("the page itself tells what is missing or no number or no JSON", () => {
  assertEquals(errorsOf(texts), {});
  assertEquals(errorsOf({ ...texts, type: " ", payload: "{", cron: "", priority: "high" }), {
    type: "is required",
    payload: "has to be JSON",
    cron: "is required",
    priority: "has to be a whole number",
  });
  assertEquals(errorsOf({ ...texts, kind: "once" }), { at: "is required" });
});

Deno.test("problems of the API stand at the fields that they name", () => {
  const issues = [
    { path: ["schedule", "config", "cron"], message: "has 4 fields" },
    { path: ["config", "cron"], message: "a second one" },
    { path: ["schedule", "timezone"], message: "is unknown" },
    { path: ["payload", "to", 0], message: "is no address" },
    { path: ["type"], message: "is not known" },
    { path: ["schedule", "type"], message: "has to be one of three" },
    { path: [], message: "is too much" },
    { path: ["else"], message: "is unknown" },
  ];
  assertEquals(placeProblems(new ApiProblem(400, "invalid_request", "wrong", issues)), {
    fields: {
      cron: "has 4 fields",
      timezone: "is unknown",
      payload: "to.0: is no address",
      type: "is not known",
      kind: "has to be one of three",
    },
    others: ["is too much", "else: is unknown"],
  });
  assertEquals(placeProblems(new ApiProblem(503, "unavailable", "try again")).others, [
    "try again",
  ]);
});

Deno.test("durations and moments are written as the fields take them", () => {
  assertEquals([86_400_000, 5_400_000, 90_000, 1_500].map(durationText), [
    "1d",
    "90m",
    "90s",
    "1500ms",
  ]);
  assertEquals(momentOf(inputOf("2026-12-01T10:00:05Z")), "2026-12-01T10:00:05.000Z");
  assertEquals([inputOf(null), momentOf(""), momentOf("soon")], ["", undefined, undefined]);
});
