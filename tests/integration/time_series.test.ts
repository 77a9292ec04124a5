/** Time series: what ticks and resident workers count, and how operators read it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask, refusal } from "../support/management.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

interface Point {
  readonly at: string;
  readonly handled: number;
  readonly retried: number;
  readonly failed: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  readonly runMs: { readonly p50: number; readonly p99: number } | null;
  readonly backlog: { readonly due: number; readonly processing: number } | null;
}

/** The points in which something happened. */
async function busy(stack: TestStack, query = ""): Promise<Point[]> {
  const { status, body } = await ask(stack, "GET", `/time-series?step=1h${query}`);
  assertEquals(status, 200);
  return body.points.filter(({ handled, retried, failed }: Point) =>
    handled + retried + failed > 0
  );
}

/** Counts of outcomes over the points. */
function sums(points: readonly Point[]): number[] {
  const sum = (name: "handled" | "retried" | "failed") =>
    points.reduce((total, point) => total + point[name], 0);
  return [sum("handled"), sum("retried"), sum("failed")];
}

// The retry of a message comes after a second, which is another tick's.
testsOnStack({ env: { SYMPHONY_TICK_BUDGET_MS: "500" } }, (test) => {
  test("a tick counts what became of its messages, by queue and type, and how long they waited and ran", async (stack) => {
    await stack.dispatch([
      ...Array.from({ length: 3 }, () => ({ type: "Note", payload: { text: "x" } })),
      { type: "Slow", payload: { ms: 60 }, queue: "slow" },
      { type: "Fail", payload: {} },
    ]);
    await stack
      .sql`insert into public.messenger_messages (type, payload) values ('Fail', '{"until":"x"}')`;
    await stack.tick();
    assertEquals(sums(await busy(stack)), [4, 1, 1]);
    assertEquals(sums(await busy(stack, "&type=Fail")), [0, 1, 1]);
    assertEquals(sums(await busy(stack, "&queue=slow")), [1, 0, 0]);
    assertEquals(sums(await busy(stack, "&queue=slow&type=Note")), [0, 0, 0]);
    const [slow] = await busy(stack, "&type=Slow");
    assert((slow?.runMs?.p50 ?? 0) >= 32, "its bucket begins at 32 ms");
    assert((slow?.latencyMs?.p99 ?? -1) >= 0);
    assertEquals(slow?.backlog, null);
  });

  test("a tick is written in one call, and one without messages writes nothing", async (stack) => {
    await stack.tick();
    assertEquals((await stack.sql`select from messenger.series`).length, 0);
    await stack.dispatch([
      { type: "Note", payload: { text: "x" } },
      { type: "Slow", payload: { ms: 1 } },
    ]);
    await stack.tick();
    const writers = await stack.sql`select distinct xmin::text from messenger.series_points`;
    assertEquals(writers.length, 1);
  });

  test("counts that the database does not take fail no tick", async (stack) => {
    await stack.sql`alter table messenger.series rename to elsewhere`;
    await stack.dispatch({ type: "Note", payload: { text: "x" } });
    assertEquals((await stack.tick()).messages.handled, 1);
    await stack.sql`alter table messenger.elsewhere rename to series`;
    await eventually(
      () => Promise.resolve(stack.logs.join("\n")),
      (logs) => logs.includes("series_not_written"),
    );
    assertEquals(sums(await busy(stack)), [0, 0, 0]);
  });

  test("every bin of a time is there, and what cannot be is refused by name", async (stack) => {
    const from = "2026-01-01T00:00:00Z";
    const { body } = await ask(
      stack,
      "GET",
      `/time-series?from=${from}&until=2026-01-03T00:00:00Z&step=6h`,
    );
    assertEquals([body.stepSeconds, body.points.length], [21_600, 8]);
    assertEquals(body.points[0], {
      ...{ at: "2026-01-01T00:00:00+00:00", handled: 0, retried: 0, failed: 0 },
      ...{ latencyMs: null, runMs: null, perSecond: { handled: 0, retried: 0, failed: 0 } },
      backlog: { due: 0, delayed: 0, blocked: 0, processing: 0, oldestReadySeconds: 0 },
    });
    for (
      const [field, query] of [
        ["from", "from=yesterday"],
        ["step", "step=90s"],
        ["step", "step=2d"],
        ["queue", "queue=a b"],
        ["type", "type="],
      ] as const
    ) {
      const refused = await ask(stack, "GET", `/time-series?${query}`);
      assertEquals(refusal(refused), [400, "invalid_request", [field]], query);
    }
    const many = await ask(stack, "GET", "/time-series?from=2025-01-01T00:00:00Z&step=1m");
    assertEquals(many.status, 400);
    assertStringIncludes(many.body.message, "step: is too small for this time");
    const none = await ask(stack, "GET", `/time-series?from=${from}&until=${from}`);
    assertStringIncludes(none.body.message, "from: has to lie before until");
  });

  test("the backlogs of several queues come in one answer, and wrong names are refused", async (stack) => {
    await stack.sql`insert into messenger.backlog_points (at, queue, due)
      values (date_trunc('minute', now()) - interval '10 minutes', 'mail', 7)`;
    const { status, body } = await ask(stack, "GET", "/backlogs?queues=mail,default");
    assertEquals([status, body.stepSeconds], [200, 120]);
    const [mail, other] = body.queues;
    assertEquals([mail.name, mail.due.length, Math.max(...mail.due)], ["mail", 30, 7]);
    assertEquals([other.name, Math.max(...other.due)], ["default", 0]);
    for (const query of ["", "?queues=", "?queues=a,b%20c", `?queues=${"a,".repeat(200)}a`]) {
      const refused = await ask(stack, "GET", `/backlogs${query}`);
      assertEquals([refused.status, refused.body.code], [400, "invalid_request"], query);
    }
  });

  test("stats tell the rates of all and of the busiest types, and metrics the totals by type", async (stack) => {
    await stack.dispatch([
      ...Array.from({ length: 3 }, () => ({ type: "Note", payload: { text: "x" } })),
      { type: "Fail", payload: {} },
    ]);
    await stack.tick();
    const { body } = await ask(stack, "GET", "/stats");
    const [recent, hour] = body.rates;
    assertEquals([recent.seconds, recent.handled, recent.retried], [300, 3, 1]);
    assertEquals([hour.seconds, hour.handled], [3600, 3]);
    assertEquals(
      body.types.map(({ type, handled, retried }: Point & { type: string }) => [
        type,
        handled,
        retried,
      ]),
      [["Note", 3, 0], ["Fail", 0, 1]],
    );
    const { body: metrics } = await ask(stack, "GET", "/metrics");
    assertStringIncludes(metrics, "# TYPE symphony_messages_total counter\n");
    assertStringIncludes(
      metrics,
      'symphony_messages_total{type="Note",outcome="handled"} 3\n',
    );
    assertStringIncludes(metrics, 'symphony_message_run_seconds_bucket{type="Note",le="+Inf"} 3\n');
    assertStringIncludes(metrics, 'symphony_message_run_seconds_count{type="Note"} 3\n');
    assertStringIncludes(metrics, "# TYPE symphony_message_latency_seconds histogram\n");
  });
});
