/** A queue's settings in a form. */

import { assertEquals } from "@std/assert";
import {
  NEW_SETTINGS,
  readSettings,
  toTexts,
} from "../../../../console/pages/queues/queue-settings-model.ts";

const QUEUE = {
  concurrency: 5,
  groupConcurrency: 1,
  rateLimit: null,
  ratePeriodMs: 1_500,
  maxWorkers: 1,
  weight: 1,
  leaseMs: null,
  runsOn: "tick",
} as const;

Deno.test("a form that is not changed changes nothing", () => {
  const texts = toTexts(QUEUE);
  assertEquals([texts.ratePeriodMs, texts.rateLimit], ["1.5", ""]);
  assertEquals(readSettings(texts, texts), { settings: {}, errors: {} });
});

Deno.test("only what was changed is sent, in the API's units; an empty text removes a limit", () => {
  const before = toTexts(QUEUE);
  const texts = {
    ...before,
    concurrency: " ",
    ratePeriodMs: "60",
    leaseMs: "30",
    runsOn: "worker",
  };
  assertEquals(readSettings(texts, before).settings, {
    concurrency: null,
    ratePeriodMs: 60_000,
    leaseMs: 30_000,
    runsOn: "worker",
  });
});

Deno.test("a text that is no number is named at its field", () => {
  const { errors } = readSettings(
    { ...NEW_SETTINGS, concurrency: "many", weight: "", groupConcurrency: "1.5" },
    NEW_SETTINGS,
  );
  assertEquals(errors, {
    concurrency: "has to be a number, or empty",
    weight: "has to be a number",
    groupConcurrency: "has to be a whole number",
  });
});
