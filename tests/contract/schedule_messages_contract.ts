/** The messages of schedules go through the checks of a dispatch, and failures are recorded. */

import { assert, assertEquals } from "@std/assert";
import {
  minutely,
  note,
  type SchedulerPromise,
  type SchedulerUnderTest,
} from "./scheduler_under_test.ts";

const outcomes = async (bench: SchedulerUnderTest, id: string) =>
  (await bench.scheduler().runs(id)).map(({ outcome }) => outcome).reverse();

/** Registers the suite for one store. */
export function testScheduleMessages(promise: SchedulerPromise): void {
  promise(
    "middleware routes and changes what a schedule makes, once for each run",
    async (bench) => {
      const scheduler = bench.schedulerWith({
        dispatch: (message) => ({
          ...message,
          queue: "default",
          groupKey: "all",
          payload: { text: `${(message.payload as { text: string }).text}!` },
        }),
      });
      const id = await scheduler.schedule(note, { ...minutely, queue: "notes" });
      assertEquals((await scheduler.get(id))?.message.payload, { text: "hello" });
      await bench.clock.set("2026-01-05T09:31:01Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      await scheduler.trigger(id);
      const made = await bench.made();
      const routed = { payload: { text: "hello!" }, queue: "default", groupKey: "all" };
      assertEquals(
        made.map(({ payload, queue, groupKey, run }) => ({ payload, queue, groupKey, run })),
        [{ ...routed, run: 1 }, { ...routed, run: 0 }],
      );
    },
  );

  promise(
    "middleware that fails for one schedule holds up no other, and its run comes later",
    async (bench) => {
      let isDown = true;
      const scheduler = bench.schedulerWith({
        dispatch: (message) => {
          const isBad = message.stamps?.schedule?.name === "bad";
          if (isBad && isDown && message.stamps?.schedule?.run === 1) throw new Error("down");
          return message;
        },
      });
      isDown = false;
      const bad = await scheduler.schedule(note, { ...minutely, name: "bad" });
      const good = await scheduler.schedule(note, minutely);
      isDown = true;
      await bench.clock.set("2026-01-05T09:31:00Z");
      const { report, nextDueMs } = await scheduler.process();
      assertEquals([report.dispatched, report.failed, nextDueMs], [1, 1, 5_000]);
      assertEquals([await outcomes(bench, bad), await outcomes(bench, good)], [[], ["enqueued"]]);
      assert((await scheduler.get(bad))?.failingSince);
      assertEquals((await scheduler.process()).report.failed, 0);

      isDown = false;
      await bench.clock.set("2026-01-05T09:31:05Z");
      assertEquals(await scheduler.processDueMessages(), 1);
      const [run] = await scheduler.runs(bad);
      assertEquals([run?.occurrence, run?.outcome], [new Date("2026-01-05T09:31:00Z"), "enqueued"]);
      assertEquals((await scheduler.get(bad))?.failingSince, null);
    },
  );

  promise(
    "a run whose key is another message's fails alone: its schedule continues, and so do the others",
    async (bench) => {
      const scheduler = bench.schedulerWith({
        dispatch: (message) => ({ ...message, idempotencyKey: "the only one" }),
      });
      const ids = [];
      for (const text of ["a", "b"]) {
        ids.push(await scheduler.schedule({ type: "Note", payload: { text } }, minutely));
      }
      await bench.clock.set("2026-01-05T09:31:01Z");
      const { report } = await scheduler.process();
      assertEquals([report.dispatched, report.failed], [1, 1]);
      const outcomesOf = await Promise.all(ids.map((id) => outcomes(bench, id)));
      assertEquals(outcomesOf.flat().toSorted(), ["enqueued", "failed"]);
      for (const id of ids) assertEquals((await scheduler.get(id))?.enabled, true);
    },
  );

  promise(
    "a run that middleware still refuses after ten minutes is recorded as failed with the reason",
    async (bench) => {
      let isDown = false;
      const scheduler = bench.schedulerWith({
        dispatch: (message) => {
          if (isDown) throw new Error("down");
          return message;
        },
      });
      const id = await scheduler.schedule(note, { type: "cron", config: { cron: "31 * * * *" } });
      isDown = true;
      await bench.clock.set("2026-01-05T09:31:00Z");
      await scheduler.processDueMessages();
      await bench.clock.set("2026-01-05T09:41:00Z");
      assertEquals((await scheduler.process()).report.failed, 1);
      const [run] = await scheduler.runs(id);
      assertEquals([run?.outcome, run?.reason, run?.messageId, run?.run], [
        "failed",
        "down",
        null,
        null,
      ]);
      const schedule = await scheduler.get(id);
      assertEquals([schedule?.enabled, schedule?.runCount, schedule?.nextRunAt], [
        true,
        0,
        new Date("2026-01-05T10:31:00Z"),
      ]);
    },
  );

  promise(
    "while its queue is paused a schedule makes messages, or none with whilePaused 'skip'",
    async (bench) => {
      const scheduler = bench.scheduler();
      await bench.setQueue("mail", { paused: true });
      const skips = await scheduler.schedule(note, {
        ...minutely,
        queue: "mail",
        whilePaused: "skip",
      });
      const enqueues = await scheduler.schedule(note, { ...minutely, queue: "mail" });
      const elsewhere = await scheduler.schedule(note, { ...minutely, whilePaused: "skip" });
      const tickAt = async (minute: number) => {
        await bench.clock.set(`2026-01-05T09:${minute}:00Z`);
        await scheduler.processDueMessages();
      };
      await tickAt(31);
      await tickAt(32);
      const triggered = await scheduler.trigger(skips);
      await bench.setQueue("mail", { paused: false });
      await tickAt(33);
      const runs = (await scheduler.runs(skips)).filter(({ messageId }) => messageId !== triggered);
      assertEquals(runs.map(({ outcome, reason, run }) => [outcome, reason, run]), [
        ["enqueued", null, 1],
        ["skipped", "paused: the queue mail was paused", null],
        ["skipped", "paused: the queue mail was paused", null],
      ]);
      for (const id of [enqueues, elsewhere]) {
        assertEquals(await outcomes(bench, id), ["enqueued", "enqueued", "enqueued"]);
      }
    },
  );

  promise(
    "a schedule that skips paused queues makes no message for a lane that is paused, or whose queue is",
    async (bench) => {
      const scheduler = bench.scheduler();
      const queue = "mail/acme";
      const skips = await scheduler.schedule(note, { ...minutely, queue, whilePaused: "skip" });
      const tickAt = async (minute: number) => {
        await bench.clock.set(`2026-01-05T09:${minute}:00Z`);
        await scheduler.processDueMessages();
      };
      await bench.setQueue("mail", { paused: true });
      await tickAt(31);
      await bench.setQueue("mail", { paused: false });
      await bench.setQueue(queue, { paused: true });
      await tickAt(32);
      await bench.setQueue(queue, { paused: false });
      await tickAt(33);
      const runs = await scheduler.runs(skips);
      assertEquals(runs.map(({ outcome, reason }) => [outcome, reason]), [
        ["enqueued", null],
        ["skipped", "paused: the queue mail/acme was paused"],
        ["skipped", "paused: the queue mail was paused"],
      ]);
    },
  );
}
