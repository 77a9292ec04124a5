/** Runs of schedules: occurrences, missed runs, ends and names. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ScheduleOptions } from "../../supabase/functions/_shared/symphony/index.ts";
import {
  hourly,
  note,
  type SchedulerPromise,
  type SchedulerUnderTest,
} from "./scheduler_under_test.ts";

const occurrences = async ({ made }: SchedulerUnderTest) =>
  (await made()).map(({ occurrence }) => occurrence);

/** Registers the suite for one store. */
export function testScheduling(promise: SchedulerPromise): void {
  promise("a schedule's message carries its occurrence, and its run is recorded", async (bench) => {
    const { clock, made } = bench;
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, { ...hourly, name: "hourly" });
    assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T10:00:00Z"));
    assertEquals(await scheduler.processDueMessages(), 0);

    await clock.set("2026-01-05T10:00:02.345Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    const [message] = await made();
    assertEquals(
      [message?.type, message?.schedule, message?.occurrence, message?.run],
      ["Note", id, "2026-01-05T10:00:00.000Z", 1],
    );
    const schedule = await scheduler.get(id);
    assertEquals([schedule?.runCount, schedule?.lastRunAt, schedule?.nextRunAt], [
      1,
      new Date("2026-01-05T10:00:00Z"),
      new Date("2026-01-05T11:00:00Z"),
    ]);
    assertEquals(await scheduler.runs(id), [{
      occurrence: new Date("2026-01-05T10:00:00Z"),
      run: 1,
      triggered: false,
      messageId: message?.id ?? "",
      outcome: "enqueued",
      reason: null,
      enqueuedAt: new Date("2026-01-05T10:00:02.345Z"),
      finishedAt: null,
    }]);
  });

  promise(
    "the same tick twice makes one message, and so does a tick ten minutes late",
    async (bench) => {
      const scheduler = bench.scheduler();
      await scheduler.schedule(note, hourly);
      await bench.clock.set("2026-01-05T10:10:00Z");
      assertEquals([await scheduler.processDueMessages(), await scheduler.processDueMessages()], [
        1,
        0,
      ]);
      assertEquals(await occurrences(bench), ["2026-01-05T10:00:00.000Z"]);
    },
  );

  promise("after a day without ticks, catchUp gives one run, all, or none", async (bench) => {
    const scheduler = bench.scheduler();
    const [latest, all, none] = await Promise.all(
      (["latest", "all", "none"] as const).map((catchUp) =>
        scheduler.schedule(note, { ...hourly, catchUp })
      ),
    );
    await bench.clock.set("2026-01-06T09:40:00Z");
    assertEquals(await scheduler.processDueMessages(1000), 25);
    const counts = Map.groupBy(await bench.made(), ({ schedule }) => schedule);
    assertEquals(counts.get(latest ?? "")?.map(({ occurrence }) => occurrence), [
      "2026-01-06T09:00:00.000Z",
    ]);
    assertEquals(counts.get(all ?? "")?.length, 24);
    assertEquals(counts.get(none ?? ""), undefined);
    const reasons = await Promise.all(
      [latest, none].map(async (id) =>
        (await scheduler.runs(id ?? "")).filter(({ outcome }) => outcome === "skipped").length
      ),
    );
    assertEquals(reasons, [1, 1]);
    for (const { nextRunAt } of await scheduler.list()) {
      assertEquals(nextRunAt, new Date("2026-01-06T10:00:00Z"));
    }
  });

  promise(
    "a long backlog is worked off batch by batch, and nothing is lost or held up",
    async (bench) => {
      const scheduler = bench.scheduler();
      await scheduler.schedule(note, {
        type: "interval",
        config: { interval: "1s" },
        catchUp: "all",
        catchUpLimit: 2_000,
      });
      const other = await scheduler.schedule(note, hourly);
      await bench.clock.set("2026-01-05T10:00:00Z");
      assertEquals(await scheduler.processDueMessages(100), 100);
      assert((await bench.made()).some(({ schedule }) => schedule === other));
      while (await scheduler.processDueMessages(700) > 0);
      const made = await bench.made();
      assertEquals([made.length, new Set(made.map(({ occurrence }) => occurrence)).size], [
        1801,
        1800,
      ]);
    },
  );

  promise(
    "maxRuns, endAt and once end a schedule, which is disabled with the reason",
    async (bench) => {
      const scheduler = bench.scheduler();
      const ids = await Promise.all([
        scheduler.schedule(note, { ...hourly, maxRuns: 3 }),
        scheduler.schedule(note, { ...hourly, endAt: new Date("2026-01-05T13:30:00Z") }),
        scheduler.schedule(note, {
          type: "once",
          config: { at: new Date("2026-01-05T11:07:08.9Z") },
        }),
        scheduler.schedule(note, { ...hourly, maxRuns: 3, catchUp: "all" }),
      ]);
      for (let hour = 10; hour < 20; hour++) {
        await bench.clock.set(`2026-01-05T${hour}:10:00Z`);
        await scheduler.processDueMessages();
      }
      const made = Map.groupBy(await bench.made(), ({ schedule }) => schedule);
      assertEquals(ids.map((id) => made.get(id)?.length), [3, 4, 1, 3]);
      assertEquals(made.get(ids[2])?.[0]?.occurrence, "2026-01-05T11:07:08.900Z");
      const ended = await Promise.all(ids.map((id) => scheduler.get(id)));
      assertEquals(ended.map((schedule) => [schedule?.enabled, schedule?.disabledBy]), [
        [false, "finished"],
        [false, "finished"],
        [false, "finished"],
        [false, "finished"],
      ]);
      assertEquals(ended.map((schedule) => schedule?.disabledReason), [
        "max_runs: it has run 3 times",
        "end_at: no occurrence is left",
        "its one time is over",
        "max_runs: it has run 3 times",
      ]);
    },
  );

  promise(
    "a name makes scheduling idempotent: what is the same does not move the next run",
    async (bench) => {
      const scheduler = bench.scheduler();
      const options: ScheduleOptions = {
        type: "interval",
        config: { interval: "1h" },
        name: "sync",
        maxRuns: 9,
      };
      const id = await scheduler.schedule(note, options);
      const planned = (await scheduler.get(id))?.nextRunAt;
      await bench.clock.set("2026-01-05T09:50:00Z");
      assertEquals(await scheduler.schedule(note, options), id);
      assertEquals((await scheduler.get(id))?.nextRunAt, planned);
      assertEquals((await scheduler.get(id))?.updatedAt, new Date("2026-01-05T09:30:00Z"));

      assertEquals(await scheduler.schedule(note, { ...options, maxRuns: 10 }), id);
      assertEquals((await scheduler.get(id))?.nextRunAt, planned);

      assertEquals(
        await scheduler.schedule(note, { ...options, config: { interval: "2h" } }),
        id,
      );
      assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T11:50:00Z"));
      assertEquals((await scheduler.list()).length, 1);
    },
  );

  promise("many processes that make one named schedule at once make one", async (bench) => {
    const ids = await Promise.all(
      Array.from(
        { length: 10 },
        () => bench.scheduler().schedule(note, { ...hourly, name: "one" }),
      ),
    );
    assertEquals(new Set(ids).size, 1);
  });

  promise(
    "a named single run may be made again once it is over, and does not run again",
    async (bench) => {
      const scheduler = bench.scheduler();
      const once: ScheduleOptions = {
        type: "once",
        config: { at: new Date("2026-01-05T10:00:00Z") },
        name: "launch",
      };
      const id = await scheduler.schedule(note, once);
      await bench.clock.set("2026-01-05T10:00:30Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      assertEquals(await scheduler.schedule(note, once), id);
      assertEquals(await scheduler.processDueMessages(), 0);
    },
  );

  promise("what is wrong by the clock is refused and writes nothing", async (bench) => {
    const scheduler = bench.scheduler();
    const past = new Date("2026-01-05T09:29:59Z");
    const wrong: [ScheduleOptions, string][] = [
      [{ type: "once", config: { at: past } }, "config.at"],
      [{ ...hourly, endAt: past }, "endAt"],
      [{ ...hourly, endAt: new Date("2026-01-05T09:59:59Z") }, "endAt"],
      [
        {
          type: "once",
          config: { at: new Date("2026-01-05T10:00:00Z") },
          startAt: new Date("2026-01-05T11:00:00Z"),
        },
        "startAt",
      ],
    ];
    for (const [options, field] of wrong) {
      const error = await assertRejects(() => scheduler.schedule(note, options), RangeError);
      assertEquals(error.message.split(":")[0], field);
    }
    assertEquals(await scheduler.list(), []);
  });

  promise("a single run in the past is made at once where that is asked for", async (bench) => {
    const scheduler = bench.scheduler();
    const at = new Date("2026-01-05T08:00:00Z");
    await scheduler.schedule(note, { type: "once", config: { at, allowPast: true } });
    assertEquals(await scheduler.processDueMessages(), 1);
    assertEquals(await occurrences(bench), ["2026-01-05T08:00:00.000Z"]);
  });

  promise("an unknown type and a payload that does not fit are refused", async (bench) => {
    const scheduler = bench.scheduler();
    const names = await Promise.all([
      assertRejects(() => scheduler.schedule({ type: "Nope", payload: {} }, hourly), Error),
      assertRejects(() => scheduler.schedule({ type: "Note", payload: {} }, hourly), Error),
    ]);
    assertEquals(names.map((error: Error) => error.name), [
      "UnknownMessageTypeError",
      "InvalidPayloadError",
    ]);
    assertEquals(await scheduler.list(), []);
  });

  promise("startAt puts the first run off, and an interval is counted from it", async (bench) => {
    const scheduler = bench.scheduler();
    const startAt = new Date("2026-01-05T11:20:00Z");
    await scheduler.schedule(note, { ...hourly, startAt });
    await scheduler.schedule(note, { type: "interval", config: { interval: "30m" }, startAt });
    assertEquals((await scheduler.list()).map(({ nextRunAt }) => nextRunAt), [
      new Date("2026-01-05T12:00:00Z"),
      startAt,
    ]);
    await bench.clock.set("2026-01-05T11:00:00Z");
    assertEquals(await scheduler.processDueMessages(), 0);
    for (const minute of [25, 55]) {
      await bench.clock.set(`2026-01-05T11:${minute}:00Z`);
      await scheduler.processDueMessages();
    }
    assertEquals(await occurrences(bench), [
      "2026-01-05T11:20:00.000Z",
      "2026-01-05T11:50:00.000Z",
    ]);
  });
}
