/** Changes to schedules: pause, resume, trigger, update, remove, list and preview. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { hourly, note, type SchedulerPromise } from "./scheduler_under_test.ts";

/** Registers the suite for one store. */
export function testScheduleOperations(promise: SchedulerPromise): void {
  promise(
    "a paused schedule makes no runs, and continues from the moment it is resumed",
    async (bench) => {
      const scheduler = bench.scheduler();
      const id = await scheduler.schedule(note, { ...hourly, catchUp: "all" });
      await scheduler.pause(id, "maintenance");
      const paused = await scheduler.get(id);
      assertEquals([paused?.enabled, paused?.disabledBy, paused?.disabledReason], [
        false,
        "pause",
        "maintenance",
      ]);
      await bench.clock.set("2026-01-05T14:30:00Z");
      assertEquals(await scheduler.processDueMessages(), 0);
      await scheduler.resume(id);
      assertEquals((await scheduler.get(id))?.disabledReason, null);
      assertEquals(await scheduler.processDueMessages(), 0);
      assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T15:00:00Z"));
      await bench.clock.set("2026-01-05T15:00:10Z");
      assertEquals(await scheduler.processDueMessages(), 1);
    },
  );

  promise(
    "a change is refused that has no effect, and what loses its own is kept for later",
    async ({ scheduler: make }) => {
      const scheduler = make();
      const zoned = { timezone: "Asia/Tokyo", catchUp: "all", catchUpLimit: 5 } as const;
      const id = await scheduler.schedule(note, { ...hourly, ...zoned });
      await scheduler.update(id, { catchUp: "latest" });
      const refused = [
        [{ catchUpLimit: 7 }, "catchUpLimit: "],
        [{ type: "interval", config: { interval: "1h" }, timezone: "Asia/Seoul" }, "timezone: "],
      ] as const;
      for (const [changes, message] of refused) {
        await assertRejects(() => scheduler.update(id, changes), RangeError, message);
      }
      await scheduler.update(id, { type: "interval", config: { interval: "1h" } });
      await scheduler.update(id, { ...hourly, catchUp: "all" });
      const { timezone, catchUpLimit } = await scheduler.get(id) ?? {};
      assertEquals({ timezone, catchUpLimit }, { timezone: "Asia/Tokyo", catchUpLimit: 5 });
    },
  );

  promise("a resumed interval keeps its step", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, { type: "interval", config: { interval: "10m" } });
    await bench.clock.set("2026-01-05T09:40:00Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    await scheduler.pause(id);
    await bench.clock.set("2026-01-05T10:04:00Z");
    await scheduler.resume(id);
    assertEquals(await scheduler.processDueMessages(), 0);
    assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T10:10:00Z"));
  });

  promise(
    "a single run whose time passed during a pause is made when it is resumed",
    async (bench) => {
      const scheduler = bench.scheduler();
      const at = new Date("2026-01-05T10:00:00Z");
      const id = await scheduler.schedule(note, { type: "once", config: { at } });
      await scheduler.pause(id);
      await bench.clock.set("2026-01-05T12:00:00Z");
      await scheduler.resume(id);
      assertEquals(await scheduler.processDueMessages(), 1);
    },
  );

  promise("a triggered run is made at once, recorded, and counts only if asked", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, { ...hourly, maxRuns: 2, name: "hourly" });
    await scheduler.pause(id);
    const free = await scheduler.trigger(id);
    const counted = await scheduler.trigger(id, { count: true });
    const made = await bench.made();
    assertEquals(made.map(({ id, run }) => [id, run]), [[free, 0], [counted, 1]]);
    const runs = await scheduler.runs(id);
    assertEquals(runs.map(({ messageId, triggered, run }) => [messageId, triggered, run]), [
      [counted, true, 1],
      [free, true, 0],
    ]);
    assertEquals((await scheduler.get(id))?.runCount, 1);
    await scheduler.trigger(id, { count: true });
    const error = await assertRejects(() => scheduler.trigger(id, { count: true }), RangeError);
    assert(error.message.startsWith("max_runs:"), error.message);
  });

  promise("a triggered run at a planned time does not take its place", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, hourly);
    await bench.clock.set("2026-01-05T10:00:00Z");
    await scheduler.trigger(id);
    assertEquals(await scheduler.processDueMessages(), 1);
    assertEquals((await bench.made()).map(({ run }) => run).toSorted(), [0, 1]);
  });

  promise(
    "overlap 'skip' leaves out runs while the one before waits or runs, and says so",
    async (bench) => {
      const scheduler = bench.scheduler();
      const id = await scheduler.schedule(note, { ...hourly, overlap: "skip", catchUp: "all" });
      await bench.clock.set("2026-01-05T12:10:00Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      await bench.clock.set("2026-01-05T13:10:00Z");
      assertEquals(await scheduler.processDueMessages(), 0);
      const refusal = await assertRejects(() => scheduler.trigger(id), RangeError);
      assert(refusal.message.startsWith("overlap:"), refusal.message);
      assertEquals(await bench.handleAll(), 1);
      await bench.clock.set("2026-01-05T14:10:00Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      const runs = await scheduler.runs(id);
      assertEquals(runs.map(({ outcome, run }) => [outcome, run]), [
        ["enqueued", 2],
        ["skipped", null],
        ["skipped", null],
        ["skipped", null],
        ["handled", 1],
      ]);
      assert(runs[1]?.reason?.startsWith("overlap:"));
    },
  );

  promise(
    "an update changes what is given, and plans again only where the times change",
    async (bench) => {
      const scheduler = bench.scheduler();
      const id = await scheduler.schedule(note, { ...hourly, maxRuns: 3, queue: "mail" });
      await bench.clock.set("2026-01-05T09:45:00Z");
      await scheduler.update(id, { payload: { text: "changed" }, maxRuns: null, priority: 5 });
      const changed = await scheduler.get(id);
      assertEquals(
        [changed?.message.payload, changed?.maxRuns, changed?.priority, changed?.queue],
        [{ text: "changed" }, null, 5, "mail"],
      );
      assertEquals(changed?.nextRunAt, new Date("2026-01-05T10:00:00Z"));

      await scheduler.update(id, { config: { cron: "0 9 * * *" }, timezone: "Asia/Kathmandu" });
      assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-06T03:15:00Z"));
      await scheduler.update(id, { type: "interval", config: { interval: "1h" } });
      assertEquals((await scheduler.get(id))?.nextRunAt, new Date("2026-01-05T10:45:00Z"));

      const refused = await assertRejects(() => scheduler.update(id, { config: { cron: "x" } }));
      assertEquals((refused as Error).message.split(":")[0], "config.cron");
      await assertRejects(() => scheduler.update(id, { payload: { text: 5 } }));
      assertEquals((await scheduler.get(id))?.type, "interval");
    },
  );

  promise("a schedule that has ended continues when an update leaves it runs", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, { ...hourly, maxRuns: 1 });
    await bench.clock.set("2026-01-05T10:00:01Z");
    await scheduler.processDueMessages();
    assertEquals((await scheduler.get(id))?.enabled, false);
    await scheduler.update(id, { maxRuns: 2 });
    await bench.clock.set("2026-01-05T11:00:01Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    assertEquals((await scheduler.get(id))?.runCount, 2);
  });

  promise(
    "a change of the end that leaves no run is refused, as at the creation",
    async (bench) => {
      const scheduler = bench.scheduler();
      const interval = { type: "interval", config: { interval: "10m" } } as const;
      const once = { type: "once", config: { at: new Date("2026-01-05T12:00:00Z") } } as const;
      const ids = await Promise.all([
        scheduler.schedule(note, { ...hourly, endAt: new Date("2026-01-05T10:30:00Z") }),
        scheduler.schedule(note, interval),
        scheduler.schedule(note, once),
      ]);
      const wrong = [["2026-01-05T09:00:00Z", "2026-01-05T09:59:59Z"], [
        ...["2026-01-05T09:00:00Z", "2026-01-05T09:39:59Z"],
      ], ["2026-01-05T09:00:00Z", "2026-01-05T11:59:59Z"]];
      for (const [index, id] of ids.entries()) {
        for (const endAt of wrong[index] ?? []) {
          const error = await assertRejects(
            () => scheduler.update(id, { endAt: new Date(endAt), priority: 9 }),
            RangeError,
            "endAt: no occurrence is left before it",
          );
          assertEquals([error.name, (await scheduler.get(id))?.priority], ["RangeError", null]);
        }
      }
      await bench.clock.set("2026-01-05T10:45:00Z");
      await scheduler.processDueMessages();
      const [cron = "", every = ""] = ids;
      assertEquals((await scheduler.get(cron))?.disabledBy, "finished");
      // The end that it has, and another one, although it has no run any more.
      await scheduler.update(cron, { endAt: new Date("2026-01-05T10:30:00Z"), priority: 1 });
      await scheduler.update(every, { endAt: new Date("2026-01-05T10:50:00Z") });
      await scheduler.update(cron, { endAt: new Date("2026-01-05T11:00:00Z") });
      await bench.clock.set("2026-01-05T11:00:01Z");
      await scheduler.processDueMessages();
      assertEquals((await scheduler.get(cron))?.runCount, 2);
      await scheduler.update(cron, { endAt: null });
    },
  );

  promise(
    "a single run that was made is made at another past time too, where a change asks for that",
    async (bench) => {
      const scheduler = bench.scheduler();
      const first = new Date("2026-01-05T10:00:00Z");
      const id = await scheduler.schedule(note, { type: "once", config: { at: first } });
      await bench.clock.set("2026-01-05T10:30:00Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      const at = new Date("2026-01-05T08:00:00Z");
      await assertRejects(() => scheduler.update(id, { config: { at } }), RangeError, "config.at");
      await scheduler.update(id, { config: { at, allowPast: true } });
      assertEquals(await scheduler.processDueMessages(), 1);
      await scheduler.update(id, { priority: 3 });
      assertEquals([await scheduler.processDueMessages(), (await bench.made()).length], [0, 2]);
      const runs = await scheduler.runs(id);
      assertEquals(runs.map(({ occurrence }) => occurrence), [first, at]);
    },
  );

  promise("a renamed schedule may not take another's name", async (bench) => {
    const scheduler = bench.scheduler();
    await scheduler.schedule(note, { ...hourly, name: "a" });
    const id = await scheduler.schedule(note, { ...hourly, name: "b" });
    const error = await assertRejects(() => scheduler.update(id, { name: "a" }), RangeError);
    assert(error.message.startsWith("name:"), error.message);
  });

  promise("unschedule removes it once, and its messages stay", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, hourly);
    await scheduler.trigger(id);
    assertEquals([await scheduler.unschedule(id), await scheduler.unschedule(id)], [true, false]);
    assertEquals([await scheduler.get(id), await scheduler.runs(id)], [null, []]);
    assertEquals(await bench.handleAll(), 1);
  });

  promise("an id that is none, or is not known, is refused by name", async (bench) => {
    const scheduler = bench.scheduler();
    const calls: (() => Promise<unknown>)[] = [
      () => scheduler.pause("999"),
      () => scheduler.resume("999"),
      () => scheduler.trigger("999"),
      () => scheduler.update("999", {}),
      () => scheduler.preview("999"),
      () => scheduler.get("one"),
      () => scheduler.unschedule("-1"),
      () => scheduler.runs("1; drop table"),
    ];
    for (const call of calls) {
      const error = await assertRejects(call, RangeError);
      assert(error.message.startsWith("id:"), error.message);
    }
  });

  promise(
    "a payload that no worker can take is refused by name, and the schedule stays as it was",
    async (bench) => {
      const scheduler = bench.scheduler();
      const large = { text: "x".repeat(9_000_000) };
      const id = await scheduler.schedule(note, hourly);
      const calls = [
        () => scheduler.update(id, { payload: large }),
        () => scheduler.schedule({ ...note, payload: large }, hourly),
      ];
      for (const call of calls) {
        const error = await assertRejects(call, RangeError);
        assert(/^payload: has 90000\d\d bytes; /.test(error.message), error.message);
      }
      assertEquals((await scheduler.get(id))?.message, note);
      assertEquals(await scheduler.list(), [
        { ...await scheduler.get(id), message: { type: "Note" } },
      ]);
    },
  );

  promise("a list is filtered and read page by page", async (bench) => {
    const scheduler = bench.scheduler();
    const ids = [];
    for (let n = 0; n < 5; n++) {
      ids.push(await scheduler.schedule(note, { ...hourly, name: `schedule ${n}` }));
    }
    await scheduler.pause(ids[1] ?? "");
    const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);
    assertEquals(idsOf(await scheduler.list({ limit: 2 })), ids.slice(0, 2));
    assertEquals(idsOf(await scheduler.list({ after: ids[1] ?? "" })), ids.slice(2));
    assertEquals(idsOf(await scheduler.list({ enabled: false })), [ids[1]]);
    assertEquals(idsOf(await scheduler.list({ name: "schedule 3" })), [ids[3]]);
    assertEquals(await scheduler.list({ messageType: "Other" }), []);
  });

  promise(
    "a preview of a stored schedule begins with its next run and ends with its runs",
    async (bench) => {
      const scheduler = bench.scheduler();
      const id = await scheduler.schedule(note, { ...hourly, maxRuns: 2 });
      assertEquals(await scheduler.preview(id), [
        new Date("2026-01-05T10:00:00Z"),
        new Date("2026-01-05T11:00:00Z"),
      ]);
      assertEquals(await scheduler.preview(hourly, 1), [new Date("2026-01-05T10:00:00Z")]);
    },
  );
}
