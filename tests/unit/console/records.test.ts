/** The words of the action log, and the states of ticks. */

import { assertEquals } from "@std/assert";
import { actionWords, targetWords } from "../../../console/pages/actions/action-words.ts";
import { countOf, stateOf, type Tick } from "../../../console/pages/ticks/tick-state.ts";

const NOW = Date.parse("2026-11-27T10:00:00Z");
const ago = (ms: number) => new Date(NOW - ms).toISOString();

const tick: Tick = {
  id: "1",
  askedAt: ago(1_000),
  startedAt: ago(900),
  heartbeatAt: ago(100),
  restedAt: null,
  endedAt: null,
  report: null,
  worker: null,
  queues: null,
};

Deno.test("the arguments of an action are one line", () => {
  assertEquals(
    targetWords({ type: "EmailMessage", error: "timeout" }),
    "type EmailMessage, error timeout",
  );
  assertEquals(
    targetWords({ ids: ["1", "2", "3", "4", "5", "6", "7"] }),
    "ids 1 2 3 4 5 and 2 more",
  );
  assertEquals(targetWords({ all: true }), "all");
  assertEquals(
    targetWords({ name: "mail", settings: { rate_limit: 5 } }),
    "name mail, rate limit 5",
  );
  assertEquals(
    targetWords({ schedules: [{ id: "3", name: "digest", change: "updated", cron: "@daily" }] }),
    "updated digest @daily",
  );
  assertEquals(targetWords(null), "");
  assertEquals([actionWords("redrive"), actionWords("of_a_later_release")], [
    "Redrive",
    "of a later release",
  ]);
});

Deno.test("a tick is awake, rests, ends, is lost, or was killed", () => {
  const states = [
    { startedAt: null, heartbeatAt: null },
    { startedAt: null, heartbeatAt: null, askedAt: ago(120_000) },
    {},
    { restedAt: ago(50) },
    { worker: "render-1", restedAt: ago(50) },
    { heartbeatAt: ago(90_000) },
    { endedAt: ago(10) },
  ].map((fields) => stateOf({ ...tick, ...fields }, NOW));
  assertEquals(states, ["asked", "lost", "awake", "resting", "working", "silent", "ended"]);
});

Deno.test("a report without a number counts nothing", () => {
  assertEquals(countOf(tick, "handled"), 0);
  assertEquals(countOf({ ...tick, report: { handled: 5, failed: "x" } }, "handled"), 5);
  assertEquals(countOf({ ...tick, report: { failed: "x" } }, "failed"), 0);
});
