/** Schedules declared in code: the stored ones follow the code, at once or with the first processing. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { defineSchedule } from "../../supabase/functions/_shared/symphony/index.ts";
import { daily, Note } from "../support/declared.ts";
import type { SchedulerPromise } from "./scheduler_under_test.ts";

const changes = (saved: { name: string | null; change: string }[]) =>
  saved.map(({ name, change }) => `${name} ${change}`);

/** Registers the suite for one store. */
export function testScheduleSync(promise: SchedulerPromise): void {
  promise(
    "a sync makes what is new, changes what differs and disables what is gone",
    async (bench) => {
      const first = bench.scheduler({ declared: [daily("a"), daily("b"), daily("c")] });
      assertEquals(changes(await first.sync()), ["a created", "b created", "c created"]);
      assertEquals(changes(await first.sync()), ["a unchanged", "b unchanged", "c unchanged"]);

      const next = bench.scheduler({
        declared: [daily("a"), daily("b", { config: { cron: "0 6 * * *" } }), daily("d")],
      });
      const expected = ["a unchanged", "b changed", "d created", "c disabled"];
      assertEquals(changes(await next.sync({ dryRun: true })), expected);
      assertEquals((await next.list()).map(({ name }) => name), ["a", "b", "c"]);
      assertEquals(changes(await next.sync()), expected);
      const schedules = await next.list();
      assertEquals(schedules.map(({ name, enabled, disabledBy }) => [name, enabled, disabledBy]), [
        ["a", true, null],
        ["b", true, null],
        ["c", false, "undeclared"],
        ["d", true, null],
      ]);
      assertEquals(schedules[1]?.nextRunAt, new Date("2026-01-06T06:00:00Z"));

      assertEquals(changes(await first.sync()).slice(2), ["c changed", "d disabled"]);
      assertEquals((await first.list({ name: "c" }))[0]?.enabled, true);
    },
  );

  promise(
    "a sync leaves alone what was made otherwise, and what an operator has paused",
    async (bench) => {
      const scheduler = bench.scheduler({ declared: [daily("a")] });
      await scheduler.schedule({ type: "Note", payload: { text: "x" } }, {
        type: "interval",
        config: { interval: "1h" },
        name: "mine",
      });
      await scheduler.sync();
      const [a] = await scheduler.list({ name: "a" });
      await scheduler.pause(a?.id ?? "", "holidays");
      await bench.scheduler({ declared: [daily("a", { maxRuns: 5 })] }).sync();
      const [paused] = await scheduler.list({ name: "a" });
      assertEquals([paused?.enabled, paused?.disabledReason, paused?.maxRuns], [
        false,
        "holidays",
        5,
      ]);
      assertEquals((await scheduler.list({ name: "mine" }))[0]?.enabled, true);
    },
  );

  promise("the first processing of a new version syncs, once", async (bench) => {
    const scheduler = bench.scheduler({ declared: [daily("a")] });
    await scheduler.processDueMessages();
    await scheduler.processDueMessages();
    assertEquals((await scheduler.list()).map(({ name }) => name), ["a"]);
    assertEquals(bench.lines.filter(({ event }) => event === "schedules_synced").length, 1);

    await bench.scheduler({ declared: [daily("a")] }).processDueMessages();
    assertEquals(bench.lines.filter(({ event }) => event === "schedules_synced").length, 1);

    await bench.scheduler({ declared: [] }).processDueMessages();
    assertEquals((await scheduler.list())[0]?.disabledBy, "undeclared");
  });

  promise("a scheduler without declarations leaves declared schedules alone", async (bench) => {
    await bench.scheduler({ declared: [daily("a")] }).sync();
    await bench.scheduler().processDueMessages();
    assertEquals((await bench.scheduler().list())[0]?.enabled, true);
  });

  promise(
    "a wrong declaration is refused and reported, and what is due runs all the same",
    async (bench) => {
      await bench.scheduler().schedule({ type: "Note", payload: { text: "x" } }, {
        type: "cron",
        config: { cron: "0 10 * * *" },
      });
      const wrong = bench.scheduler({ declared: [daily("a"), daily("b", { maxRuns: 0 })] });
      const error = await assertRejects(() => wrong.sync(), RangeError);
      assert(error.message.startsWith("maxRuns:"), error.message);
      await bench.clock.set("2026-01-05T10:00:01Z");
      assertEquals(await wrong.processDueMessages(), 1);
      assertEquals(bench.lines.filter(({ event }) => event === "schedules_not_synced").length, 1);
      assertEquals((await wrong.list({ name: "a" })).length, 0);

      const twice = bench.scheduler({ declared: [daily("a"), daily("a")] });
      assert((await assertRejects(() => twice.sync(), RangeError)).message.startsWith("name:"));
    },
  );

  promise("a single run that was declared and is past is not made", async (bench) => {
    const past = defineSchedule(Note, { text: "x" }, {
      name: "launch",
      type: "once",
      config: { at: new Date("2025-12-24T00:00:00Z") },
    });
    const scheduler = bench.scheduler({ declared: [past] });
    await scheduler.sync();
    assertEquals((await scheduler.list())[0]?.disabledBy, "finished");
    assertEquals(await scheduler.processDueMessages(), 0);
    assertEquals(changes(await scheduler.sync()), ["launch unchanged"]);
  });
}
