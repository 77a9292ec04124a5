/** Schedules over the management API. */

import { assertEquals } from "@std/assert";
import { actions, ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const daily = { type: "cron", config: { cron: "0 9 * * *" }, timezone: "Asia/Tokyo" };
const digest = {
  type: "Note",
  payload: { text: "s3cret" },
  schedule: { ...daily, name: "digest" },
};

async function create(stack: TestStack, body: unknown = digest): Promise<string> {
  const answered = await ask(stack, "POST", "/schedules", body);
  assertEquals(answered.status, 201, JSON.stringify(answered.body));
  return answered.body.id;
}

testsOnStack({}, (test) => {
  test("a schedule is made, shown, listed without its payload, and logged without it", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack);
    const { body } = await ask(stack, "GET", `/schedules/${id}`);
    assertEquals([body.name, body.message, body.config, body.timezone, body.enabled], [
      "digest",
      { type: "Note", payload: digest.payload },
      { cron: "0 9 * * *" },
      "Asia/Tokyo",
      true,
    ]);
    const list = await ask(stack, "GET", "/schedules?type=Note&enabled=true&name=digest");
    assertEquals(list.body.schedules.map(({ message }: { message: unknown }) => message), [
      { type: "Note" },
    ]);
    const { body: log } = await ask(stack, "GET", "/actions");
    const [saved] = log.actions[0].target.schedules;
    assertEquals([saved.id, saved.change, saved.cron, saved.name], [
      id,
      "created",
      "0 9 * * *",
      "digest",
    ]);
    assertEquals(JSON.stringify(log).includes("s3cret"), false);
    await create(stack);
    assertEquals(await actions(stack), [["secret key default", "save_schedules", 1]]);
  });

  test("pages of schedules follow each other", async (stack) => {
    await clearManaged(stack);
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(await create(stack, { ...digest, schedule: daily }));
    const first = await ask(stack, "GET", "/schedules?limit=2");
    const second = await ask(stack, "GET", `/schedules?limit=2&cursor=${first.body.next}`);
    const seen = [...first.body.schedules, ...second.body.schedules];
    assertEquals([seen.map(({ id }) => id), second.body.next], [ids, null]);
  });

  test("given fields change, null removes an option, and other fields stay", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack);
    const change = (body: unknown) => ask(stack, "PATCH", `/schedules/${id}`, body);
    const { body } = await change({ payload: { text: "new" }, maxRuns: 5, timezone: "UTC" });
    assertEquals([body.message.payload, body.maxRuns, body.timezone, body.config.cron], [
      { text: "new" },
      5,
      "UTC",
      "0 9 * * *",
    ]);
    const every = await change({ type: "interval", config: { interval: "5m" }, maxRuns: null });
    assertEquals([every.body.config, every.body.maxRuns], [{ interval: 300_000 }, null]);
    for (
      const [path, wrong] of [
        [["config"], { type: "cron" }],
        [["config", "cron"], { type: "cron", config: { cron: "0 0 30 2 *" } }],
        [["timezone"], { timezone: "Mars/Base" }],
        [["maxRuns"], { maxRuns: 0 }],
        [["payload", "text"], { payload: { text: 5 } }],
        [["jitter"], { jitter: "soon" }],
        [["startAt"], { startAt: "now" }],
      ] as const
    ) {
      const answered = await change(wrong);
      assertEquals([answered.status, answered.body.issues[0].path], [400, path]);
    }
    assertEquals((await ask(stack, "PATCH", "/schedules/999", { maxRuns: 1 })).status, 404);
    const other = await create(stack, { ...digest, schedule: { ...daily, name: "other" } });
    assertEquals(
      refusal(await ask(stack, "PATCH", `/schedules/${other}`, { name: "digest" })).slice(0, 2),
      [409, "conflict"],
    );
  });

  test("a schedule is paused with a reason, resumed, triggered, and removed", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack);
    const act = (verb: string, body?: unknown) =>
      ask(stack, "POST", `/schedules/${id}/${verb}`, body);
    const paused = await act("pause", { reason: "holidays" });
    assertEquals([paused.body.enabled, paused.body.disabledReason], [false, "holidays"]);
    const triggered = await act("trigger");
    assertEquals(triggered.status, 202);
    assertEquals((await act("resume")).body.enabled, true);
    await stack.tick();
    assertEquals((await stack.effects()).map(({ message_id }) => message_id), [
      triggered.body.messageId,
    ]);
    const { body: { runs } } = await ask(stack, "GET", `/schedules/${id}/runs`);
    assertEquals([runs.length, runs[0].triggered, runs[0].outcome], [1, true, "handled"]);
    assertEquals((await ask(stack, "DELETE", `/schedules/${id}`)).body, { removed: true });
    assertEquals((await ask(stack, "DELETE", `/schedules/${id}`)).status, 404);
    assertEquals((await actions(stack)).map(([, action]) => action), [
      "save_schedules",
      "pause_schedule",
      "trigger_schedule",
      "resume_schedule",
      "unschedule",
    ]);
  });

  test("what cannot be triggered now is a conflict, and what is not there is 404", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack, { ...digest, schedule: { ...daily, overlap: "skip" } });
    await ask(stack, "POST", `/schedules/${id}/trigger`);
    const again = await ask(stack, "POST", `/schedules/${id}/trigger`);
    assertEquals(refusal(again).slice(0, 2), [409, "conflict"]);
    for (const verb of ["pause", "resume", "trigger"]) {
      assertEquals((await ask(stack, "POST", `/schedules/999/${verb}`)).status, 404, verb);
    }
    for (const path of ["", "/preview", "/runs"]) {
      assertEquals((await ask(stack, "GET", `/schedules/999${path}`)).status, 404, path);
    }
  });

  test("the next runs are previewed", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack);
    const { body } = await ask(stack, "GET", `/schedules/${id}/preview?n=3`);
    assertEquals(
      body.occurrences.map((occurrence: string) => occurrence.slice(10)),
      Array(3).fill("T00:00:00.000Z"),
    );
    for (const n of ["0", "101", "x", "1.5"]) {
      assertEquals((await ask(stack, "GET", `/schedules/${id}/preview?n=${n}`)).status, 400, n);
    }
  });

  test("a wrong schedule is refused by the name of its field, and nothing is written", async (stack) => {
    await clearManaged(stack);
    for (
      const [path, change] of [
        [["payload"], { payload: undefined }],
        [["payload", "text"], { payload: {} }],
        [["type"], { type: "Nobody" }],
        [["queue"], { queue: "a b" }],
        [["priority"], { priority: 5000 }],
        [["schedule", "timezone"], { schedule: { ...daily, timezone: "x" } }],
        [["schedule", "config", "cron"], { schedule: { ...daily, config: { cron: "* *" } } }],
        [["schedule", "type"], { schedule: { type: "moon" } }],
        [["schedule", "config", "at"], {
          schedule: { type: "once", config: { at: "2020-01-01T00:00:00Z" } },
        }],
      ] as const
    ) {
      const { status, body } = await ask(stack, "POST", "/schedules", { ...digest, ...change });
      assertEquals([status, body.issues?.[0]?.path], [400, path], body.message);
    }
    assertEquals((await ask(stack, "GET", "/schedules")).body.schedules, []);
    assertEquals(await actions(stack), []);
  });

  test("a schedule that is not saved is previewed in its zone, and its errors are at their fields", async (stack) => {
    await clearManaged(stack);
    const preview = (schedule: unknown, n = 2) =>
      ask(stack, "POST", "/schedules/preview", { schedule, n });
    const { body } = await preview({ ...daily, timezone: "Asia/Tokyo" });
    assertEquals([body.timezone, body.occurrences.length], ["Asia/Tokyo", 2]);
    assertEquals(body.local.map((text: string) => text.slice(10)), [
      "T09:00:00+09:00",
      "T09:00:00+09:00",
    ]);
    assertEquals(new Date(body.local[0]).toISOString(), body.occurrences[0]);
    const once = { type: "once", config: { at: "2999-01-01T00:00:00Z" } };
    assertEquals((await preview(once)).body.occurrences, ["2999-01-01T00:00:00.000Z"]);
    for (
      const [path, wrong] of [
        [["schedule", "config", "cron"], { type: "cron", config: { cron: "61 * * * *" } }],
        [["schedule", "timezone"], { ...daily, timezone: "Mars/Base" }],
        [["schedule", "config", "at"], { type: "once", config: { at: "2020-01-01T00:00:00Z" } }],
        [["schedule", "endAt"], { ...daily, endAt: "2020-01-01T00:00:00Z" }],
        [["schedule", "config", "interval"], { type: "interval", config: { interval: "10ms" } }],
        [["schedule", "type"], { type: "weekly" }],
      ] as const
    ) {
      const answered = await preview(wrong);
      assertEquals([answered.status, answered.body.issues?.[0].path], [400, path]);
    }
    assertEquals((await ask(stack, "GET", "/schedules")).body.schedules, []);
    assertEquals(await actions(stack), []);
  });

  test("planned times of all enabled schedules are listed for a day, the next schedule first", async (stack) => {
    await clearManaged(stack);
    const made = await create(stack);
    const often = await create(stack, {
      ...digest,
      schedule: { type: "interval", config: { interval: "1h" }, name: "often" },
    });
    const paused = await create(stack, { ...digest, schedule: { ...daily, name: "paused" } });
    await ask(stack, "POST", `/schedules/${paused}/pause`);
    const { body } = await ask(stack, "GET", "/schedules/upcoming?n=3");
    const found = body.schedules.map(
      (listed: { id: string; count: number; occurrences: string[] }) =>
        [listed.id, listed.count, listed.occurrences.length] as const,
    );
    assertEquals(
      new Map(found.map(([id, ...counts]: string[]) => [id, counts])),
      new Map([
        [made, [1, 1]],
        [often, [24, 3]],
      ]),
    );
    const page = await ask(stack, "GET", "/schedules/upcoming?limit=1");
    assertEquals(page.body.schedules[0].id, found[0][0]);
    const second = await ask(stack, "GET", `/schedules/upcoming?limit=1&cursor=${page.body.next}`);
    assertEquals(second.body.schedules[0].id, found[1][0]);
    const from = "2999-01-01T00:00:00Z";
    const far = await ask(
      stack,
      "GET",
      `/schedules/upcoming?from=${from}&until=2999-01-02T00:00:00Z`,
    );
    assertEquals(far.body.schedules.map(({ count }: { count: number }) => count).sort(), [1, 24]);
    assertEquals(far.body.schedules.find(({ id }: { id: string }) => id === made).occurrences, [
      "2999-01-01T00:00:00.000Z",
    ]);
    for (const until of ["2998-01-01T00:00:00Z", "2999-03-01T00:00:00Z"]) {
      const wrong = await ask(stack, "GET", `/schedules/upcoming?from=${from}&until=${until}`);
      assertEquals(refusal(wrong), [400, "invalid_request", ["until"]]);
    }
  });

  test("a list has each schedule's latest runs where the request asks for them", async (stack) => {
    await clearManaged(stack);
    const id = await create(stack);
    for (let n = 0; n < 3; n++) await ask(stack, "POST", `/schedules/${id}/trigger`);
    await stack.tick();
    const { body } = await ask(stack, "GET", "/schedules?runs=2");
    assertEquals(body.schedules[0].runs.map(({ outcome }: { outcome: string }) => outcome), [
      "handled",
      "handled",
    ]);
    assertEquals((await ask(stack, "GET", "/schedules")).body.schedules[0].runs, undefined);
  });
});
