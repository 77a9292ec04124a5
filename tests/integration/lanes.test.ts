/** Lanes over HTTP: each tenant of a queue has one, which its definition finds in the payload. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { messenger } from "../support/cli.ts";
import { asUser, refusal } from "../support/frontend.ts";
import { ask, clearManaged, refusal as refused } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const report = (team: string, more = {}) => ({ type: "Report", payload: { team }, ...more });

/** The queues of the messages that wait or run, in the order of their dispatch. */
async function queues({ sql }: TestStack): Promise<string[]> {
  const rows = await sql<{ queue: string }[]>`
    select queue from public.messenger_messages order by id`;
  return rows.map(({ queue }) => queue);
}

testsOnStack({}, (test) => {
  test("a dispatch goes into the lane of its payload, whichever way it comes", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch([report("acme"), report("a/b")]);
    assertEquals((await stack.post("dispatch", report("globex"), await asUser(stack))).status, 202);
    await stack.dispatch(report("acme", { lane: "other" }));
    await stack.dispatch(report("acme", { queue: "slow" }));
    await stack
      .sql`select public.messenger_dispatch('Report', '{"team":"x"}', queue => 'reports', lane => 'x')`;
    assertEquals(await queues(stack), [
      "reports/acme",
      "reports/a%2Fb",
      "reports/globex",
      "reports/other",
      "slow/acme",
      "reports/x",
    ]);
    const { messages } = await stack.tick({ queues: ["reports"] });
    assertEquals([messages.handled, await queues(stack)], [5, ["slow/acme"]]);
    assertEquals((await stack.tick()).messages.handled, 1);
  });

  test("a user chooses no lane, neither by its name nor in a queue's, and the secret key may", async (stack) => {
    await clearManaged(stack);
    const user = await asUser(stack);
    for (const chosen of [{ lane: "globex" }, { queue: "reports/globex" }]) {
      const response = await stack.post("dispatch", report("acme", chosen), user);
      assertEquals(await refusal(response), [403, "forbidden", ["lane"]]);
    }
    assertEquals(
      (await stack.post("dispatch", report("acme", { queue: "mine" }), user)).status,
      202,
    );
    assertEquals(await queues(stack), ["mine/acme"]);
  });

  test("a lane that is too long or no text is refused by its field, and nothing is written", async (stack) => {
    await clearManaged(stack);
    const refusals: [unknown, unknown[]][] = [
      [report("x".repeat(101)), [400, "invalid_request", ["Report"]]],
      [report("a", { lane: "" }), [400, "invalid_request", ["lane"]]],
      [report("a", { queue: "reports/x", lane: "y" }), [400, "invalid_request", ["lane"]]],
      [report("a", { queue: "reports/x/y" }), [400, "invalid_request", ["queue"]]],
      [report("a", { lane: 7 }), [400, "invalid_request", ["lane"]]],
      [
        report("a", { lane: "x", schedule: { type: "interval", config: { interval: "1h" } } }),
        [400, "invalid_request", ["lane"]],
      ],
    ];
    for (const [body, expected] of refusals) {
      assertEquals(
        (await refusal(await stack.post("dispatch", body))).slice(0, 2),
        expected.slice(0, 2),
      );
    }
    assertEquals((await stack.post("dispatch", report("none"))).status, 500);
    assert(
      stack.logs.some((line) => line.includes("Report: lane: has to return a string; returned 7")),
    );
    assertEquals(await queues(stack), []);
  });

  test("schedules and batches find the lane of each message", async (stack) => {
    await clearManaged(stack);
    const at = new Date(Date.now() - 1_000).toISOString();
    const schedule = { type: "once", config: { at, allowPast: true } };
    assertEquals((await stack.post("dispatch", report("timed", { schedule }))).status, 201);
    await ask(stack, "POST", "/queues/reports%2Ftimed/pause");
    await stack.sql`insert into public.messenger_queues (name, paused) values ('reports', true)
      on conflict (name) do update set paused = true`;
    await stack.tick();
    const batch = { name: "all", messages: [report("acme"), report("globex")] };
    assertEquals((await stack.post("dispatch/batches", batch)).status, 202);
    assertEquals(await queues(stack), ["reports/timed", "reports/acme", "reports/globex"]);
  });

  test("operators list, pause and cancel by lane and by queue", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch([report("acme"), report("acme"), report("globex"), report("a/b")]);
    const { body: listed } = await ask(stack, "GET", "/queues/reports/lanes?limit=2");
    assertEquals(
      listed.queues.map((lane: Record<string, { count: number }>) => [lane.name, lane.due?.count]),
      [["reports/a%2Fb", 1], ["reports/acme", 2]],
    );
    const { body: rest } = await ask(stack, "GET", `/queues/reports/lanes?cursor=${listed.next}`);
    assertEquals([rest.queues.length, rest.next], [1, null]);
    assertEquals((await ask(stack, "GET", "/queues/none/lanes")).status, 404);
    const { body: queue } = await ask(stack, "GET", "/queues/reports");
    assertEquals(queue.due, { count: 4, capped: false });
    const { body: all } = await ask(stack, "GET", "/queues");
    assertEquals(all.queues.map(({ name }: { name: string }) => name), ["default", "reports"]);

    await ask(stack, "PATCH", "/queues/reports", { laneConcurrency: 2 });
    const { body: paused } = await ask(stack, "POST", "/queues/reports%2Facme/pause");
    assertEquals([paused.name, paused.paused, paused.due.count], ["reports/acme", true, 2]);
    assertEquals((await ask(stack, "POST", "/queues/none%2Facme/pause")).status, 404);
    assertEquals(
      refused(await ask(stack, "PATCH", "/queues/reports%2Facme", { maxWorkers: 3 })).slice(0, 2),
      [
        400,
        "invalid_request",
      ],
    );
    assertEquals((await stack.tick()).messages.handled, 2);
    assertEquals(await queues(stack), ["reports/acme", "reports/acme"]);
    const found = await ask(stack, "GET", "/messages?queue=reports");
    assertEquals(found.body.messages.length, 2);
    const cancelled = await ask(stack, "POST", "/messages/cancel", { queue: "reports/acme" });
    assertEquals(cancelled.body.cancelled ?? cancelled.body.done, 2);
    const failed = await ask(stack, "GET", "/failed-messages?queue=reports");
    assertEquals(failed.body.messages.length, 2);
    await ask(stack, "POST", "/queues/reports%2Facme/resume");
    assertEquals(
      (await ask(stack, "POST", "/failed-messages/redrive", { queue: "reports" })).status,
      200,
    );
    assertEquals(await queues(stack), ["reports/acme", "reports/acme"]);
  });

  test("the command shows and sets lanes", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await said(["dispatch", "Report", '{"team":"acme"}', "--lane", "x y"]);
    assertMatch((await said("queues lanes reports")).out, /^reports\/x%20y +no/m);
    await said(["queues", "set", "reports/x%20y", "--concurrency", "1"]);
    await said("queues set reports --lane-rate-limit 5");
    const { body } = await ask(stack, "GET", "/queues/reports%2Fx%2520y");
    assertEquals([body.concurrency, body.name], [1, "reports/x%20y"]);
    assertEquals((await ask(stack, "GET", "/queues/reports")).body.laneRateLimit, 5);
  });

  test("the series count lanes with their queue", async (stack) => {
    await clearManaged(stack);
    await stack.sql`delete from messenger.series where true`;
    await stack.dispatch(Array.from({ length: 20 }, (_, n) => report(`team-${n}`)));
    await stack.tick();
    const rows = await stack.sql<{ queue: string; handled: string }[]>`
      select queue, handled from messenger.series where type = 'Report'`;
    assertEquals(rows.map(({ queue, handled }) => [queue, Number(handled)]), [["reports", 20]]);
    await stack.dispatch([report("a"), report("b")]);
    await stack.sql`select public.messenger_sample_backlog()`;
    const points = await stack.sql<{ queue: string; due: number }[]>`
      select queue, due from messenger.backlog_points where queue <> ''`;
    assertEquals(points.map(({ queue, due }) => [queue, due]), [["reports", 2]]);
  });
});
