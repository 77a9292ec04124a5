/** Settings in a form: those of queues, alerts and webhook endpoints. */

import { assertEquals } from "@std/assert";
import { isIncomplete, readTexts, toTexts } from "../../../console/forms/form-fields.ts";
import {
  alertFields,
  formatValue,
  limitOf,
  newAlertFields,
} from "../../../console/pages/alerts/alert-rules.ts";
import { laneOf } from "../../../console/pages/queues/lane-names.ts";
import {
  LANE_FIELDS,
  NEW_QUEUE,
  QUEUE_FIELDS,
} from "../../../console/pages/queues/queue-fields.ts";
import { formatBytes } from "../../../console/pages/transports/transport-parts.tsx";
import {
  ENDPOINT_FIELDS,
  NEW_ENDPOINT,
  NEW_ENDPOINT_FIELDS,
} from "../../../console/pages/webhooks/endpoint-parts.tsx";

const QUEUE = {
  concurrency: 5,
  groupConcurrency: 1,
  rateLimit: null,
  ratePeriodMs: 1_500,
  maxWorkers: 1,
  weight: 1,
  leaseMs: null,
  runsOn: "tick",
  ...{ laneConcurrency: 2, laneRateLimit: null, laneRatePeriodMs: 1_000 },
} as const;

Deno.test("a form that is not changed changes nothing", () => {
  const texts = toTexts(QUEUE_FIELDS, QUEUE);
  assertEquals([texts["ratePeriodMs"], texts["rateLimit"]], ["1.5", ""]);
  assertEquals(readTexts(QUEUE_FIELDS, texts, texts), { values: {}, errors: {} });
});

Deno.test("only what was changed is sent, in the API's units; an empty text removes a limit", () => {
  const before = toTexts(QUEUE_FIELDS, QUEUE);
  const texts = {
    ...before,
    concurrency: " ",
    ratePeriodMs: "60",
    leaseMs: "30",
    runsOn: "worker",
  };
  assertEquals(readTexts(QUEUE_FIELDS, texts, before).values, {
    concurrency: null,
    ratePeriodMs: 60_000,
    leaseMs: 30_000,
    runsOn: "worker",
  });
});

Deno.test("a text that cannot be a value is named at its field", () => {
  const typed = { ...NEW_QUEUE, concurrency: "many", weight: "", groupConcurrency: "1.5" };
  assertEquals(readTexts(QUEUE_FIELDS, typed, NEW_QUEUE).errors, {
    concurrency: "has to be a whole number, or empty",
    weight: "has to be a whole number",
    groupConcurrency: "has to be a whole number",
  });
  const rate = alertFields("retry_rate", []);
  const before = toTexts(rate, { threshold: 0.5, windowMs: 900_000, cooldownMs: 3_600_000 });
  assertEquals(
    readTexts(rate, { ...before, threshold: "120", windowMs: "soon" }, before).errors,
    {
      threshold: "has to be a number from 0 to 100",
      windowMs: "has to be a duration such as 90s, 5m, 1h or 7d",
    },
  );
});

Deno.test("durations and shares are typed as operators write them, and sent as the API takes them", () => {
  const rate = alertFields("retry_rate", ["ops"]);
  const before = toTexts(rate, {
    threshold: 0.5,
    windowMs: 900_000,
    cooldownMs: 5_400_000,
    channel: null,
  });
  assertEquals(before, { threshold: "50", windowMs: "15m", cooldownMs: "90m", channel: "" });
  const texts = { threshold: "12.5", windowMs: "1.5h", cooldownMs: "7d", channel: "ops" };
  assertEquals(readTexts(rate, texts, before).values, {
    threshold: 0.125,
    windowMs: 5_400_000,
    cooldownMs: 604_800_000,
    channel: "ops",
  });
  assertEquals(readTexts(rate, before, texts).values["channel"], null);
});

Deno.test("the rule decides which fields a new alert has", () => {
  const names = (rule: string) => newAlertFields(rule, []).map(({ name }) => name);
  assertEquals(names(""), ["name", "rule"]);
  assertEquals(names("no_tick"), ["name", "rule", "threshold", "channel", "cooldownMs"]);
  assertEquals(names("queue_limited"), [
    ...["name", "rule", "queue", "windowMs", "channel", "cooldownMs"],
  ]);
  assertEquals(isIncomplete(newAlertFields("", []), { name: "x" }), true);
  assertEquals(isIncomplete(newAlertFields("", []), { name: "x", rule: "no_tick" }), false);
});

Deno.test("an alert's values are read in the unit of its rule", () => {
  assertEquals(formatValue("retry_rate", 0.5), "50 %");
  assertEquals(formatValue("oldest_ready", 300_000), "5 min");
  assertEquals(formatValue("dead_letters", 1_200), "1,200");
  assertEquals(formatValue("dead_letters", null), "–");
  const limited = { rule: "queue_limited", threshold: null, windowMs: 1_800_000 };
  assertEquals(limitOf(limited as Parameters<typeof limitOf>[0]), "30 min");
});

Deno.test("the events of an endpoint are words, and a new one sends only what differs from the defaults", () => {
  const typed = { ...NEW_ENDPOINT, name: "acme", url: "https://acme.example", events: "a.*, b\nc" };
  assertEquals(readTexts(NEW_ENDPOINT_FIELDS, typed, NEW_ENDPOINT).values, {
    name: "acme",
    url: "https://acme.example",
    events: ["a.*", "b", "c"],
  });
  const before = toTexts(ENDPOINT_FIELDS, { url: "u", events: ["a", "b"], disableAfterMs: 60_000 });
  assertEquals([before["events"], before["disableAfterMs"]], ["a b", "1m"]);
  assertEquals(readTexts(ENDPOINT_FIELDS, { ...before, disableAfterMs: "" }, before).values, {
    disableAfterMs: null,
  });
});

Deno.test("a lane's form has what may be set for it alone", () => {
  assertEquals(LANE_FIELDS.map(({ name }) => name), [
    ...["concurrency", "rateLimit", "ratePeriodMs", "weight"],
  ]);
  const before = toTexts(QUEUE_FIELDS, QUEUE);
  const texts = { ...before, laneConcurrency: "", laneRateLimit: "10", laneRatePeriodMs: "60" };
  assertEquals(readTexts(QUEUE_FIELDS, texts, before).values, {
    ...{ laneConcurrency: null, laneRateLimit: 10, laneRatePeriodMs: 60_000 },
  });
});

Deno.test("a lane is named as its tenant is, and stays as it is written if that is no text", () => {
  assertEquals(laneOf("reports"), null);
  assertEquals(laneOf("reports/a%2Fb%20c"), { queue: "reports", lane: "a/b c" });
  assertEquals(laneOf("reports/%FF"), { queue: "reports", lane: "%FF" });
});

Deno.test("a size is told by its largest unit", () => {
  assertEquals([0, 999, 1_049, 4_240_000, 25e9, 4e13].map(formatBytes), [
    ...["0 B", "999 B", "1 kB", "4.2 MB", "25 GB", "40,000 GB"],
  ]);
});
