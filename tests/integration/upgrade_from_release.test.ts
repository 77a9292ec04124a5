/** The step from each published release to the present one, among messages in every state. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { migrationsIn, readPublished } from "../../local/release_source.ts";
import { OutdatedSchemaError } from "../../supabase/functions/_shared/symphony/database/schema-version.ts";
import { SCHEMA_VERSION } from "../../supabase/functions/_shared/symphony/runtime/version.ts";
import { messenger } from "../support/cli.ts";
import { type OlderClaim, OlderWorker, startOlderStack } from "../support/older_worker.ts";
import { eventually, type TestStack } from "../support/stack.ts";
import { drain, type Drained, Runs, workerOf } from "../support/upgrading.ts";

const published = await readPublished();
const older = migrationsIn().slice(0, -1).map(({ version }) => version)
  .filter((version) => version in published);

/** How many messages are in which state; together 10,000. */
const STATES = {
  waiting: 6_400,
  grouped: 1_000,
  running: 500,
  lost: 100,
  retrying: 500,
  dead: 500,
};
const SCHEDULED = 1_000;
const MESSAGES = 10_000;
const GROUPS = 100;
const SCHEDULES = 50;
const TYPES = ["Counted", "Scheduled", "Note"];
/** The first ones of this number of groups are in the hands of a worker that has died. */
const LOST_GROUPS = 10;

/** The leases that workers of the older release hold as the migration comes. */
interface Held {
  readonly running: OlderClaim;
  readonly grouped: OlderClaim;
}

/** Brings messages into every state, by what the older release has. */
async function fill({ sql }: TestStack, worker: OlderWorker): Promise<Held> {
  for (const [queue, number] of Object.entries(STATES)) {
    await worker.enqueue(Array.from({ length: number }, (_, n) => ({
      type: "Counted",
      queue,
      payload: { queue, group: n % GROUPS, n: Math.floor(n / GROUPS) },
      ...(queue === "grouped" && { group_key: `g${n % GROUPS}` }),
    })));
  }
  await worker.enqueue(Array.from({ length: SCHEDULED }, (_, n) => ({
    type: "Counted",
    queue: "scheduled",
    payload: { queue: "scheduled", n },
    delay_ms: 3 * n,
  })));
  await sql`select public.messenger_schedule_once(
      'Scheduled', '{}', now() + n * interval '40 milliseconds', name => 'once-' || n)
    from generate_series(1, ${SCHEDULES}) as n`;
  await fail(worker);
  await worker.take("lost", STATES.lost, 1_000);
  await worker.take("grouped", LOST_GROUPS, 1_000);
  return {
    running: await worker.take("running", STATES.running),
    grouped: await worker.take("grouped", GROUPS - LOST_GROUPS),
  };
}

/** Has messages wait for their retry, and others die. */
async function fail(worker: OlderWorker): Promise<void> {
  const errors = [{ message: "no luck", attempt: 1, handler: "default", at: new Date() }];
  const retrying = await worker.take("retrying", STATES.retrying);
  await worker.settle(retrying.token, {
    retries: retrying.ids.map((id) => ({ id, delay_ms: 500, retry_count: 1, errors })),
  });
  const dead = await worker.take("dead", STATES.dead);
  await worker.settle(dead.token, {
    dead: dead.ids.map((id) => ({ id, reason: "exhausted", errors })),
  });
}

/** Claims and handles messages that wait, half of them at most before the migration. */
async function workOn(worker: OlderWorker, runs: Runs, pushed: Promise<void>): Promise<void> {
  for (let handled = 0;;) {
    if (handled >= STATES.waiting / 2) await pushed;
    const claim = await worker.claim("waiting", 20);
    if (claim.ids.length === 0) return;
    handled += await finish(worker, runs, claim);
  }
}

/** Writes that the messages of a claim were handled. @returns how many */
async function finish(
  worker: OlderWorker,
  runs: Runs,
  { token, ids, payloads }: OlderClaim,
  groups?: readonly [queue: string, key: string][],
): Promise<number> {
  for (const [at, id] of ids.entries()) {
    runs.all.push({ id, type: "Counted", payload: payloads[at], attempt: 1 });
  }
  const stale = await worker.settle(token, {
    handled: ids,
    ...(groups && { grouped: true, groups }),
  });
  assertEquals(stale.length, 0);
  return ids.length;
}

/** The messages of each queue by their state, and how often they were claimed. */
async function contents({ sql }: TestStack): Promise<unknown[]> {
  return [
    ...await sql`select queue, status, count(*)::int as n, sum(attempts)::int as attempts
    from public.messenger_messages group by 1, 2 order by 1, 2`,
  ];
}

/** A library that is too new claims nothing and says which version it needs, in code and over HTTP. */
async function assertRefuses(stack: TestStack, runs: Runs, from: string): Promise<void> {
  const before = await contents(stack);
  const worker = workerOf(stack, runs.definitions(TYPES));
  const told = `is version ${from}, and this version of Symphony Messenger needs ${SCHEMA_VERSION}`;
  await assertRejects(() => worker.work({ budgetMs: 100 }), OutdatedSchemaError, told);
  const response = await stack.post("tick", {});
  const { code, message } = await response.json();
  assertEquals([response.status, code], [503, "outdated_schema"]);
  assertStringIncludes(message, told);
  assertStringIncludes(message, "supabase db push");
  assertEquals(await contents(stack), before);
  assertEquals(runs.all, []);
}

/** The numbers of each group's messages, in the order in which they ran. */
function ordersOfGroups(runs: Runs): string[] {
  const orders = new Map<number, number[]>();
  for (const { type, payload } of runs.all) {
    if (type !== "Counted") continue;
    const { queue, group, n } = payload as { queue: string; group: number; n: number };
    if (queue === "grouped") orders.set(group, [...orders.get(group) ?? [], n]);
  }
  return [...orders.values()].map((order) => order.join());
}

/** The attempts at the messages of a queue, without repetitions. */
function attemptsOf(runs: Runs, queue: string): number[] {
  const ran = runs.all.filter(({ payload }) => (payload as { queue?: string }).queue === queue);
  return [...new Set(ran.map(({ attempt }) => attempt))];
}

for (const from of older) {
  Deno.test({
    name: `an upgrade from ${from} among 10,000 messages in every state handles each exactly once`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using upgrade = await startOlderStack(from);
      const { stack } = upgrade;
      const [runs, worker] = [new Runs(), new OlderWorker(stack)];
      const held = await fill(stack, worker);
      await assertRefuses(stack, runs, from);
      // Frontends lose nothing while the push is late: the older schema takes what it knows.
      await stack.dispatch({ type: "Note", payload: { text: "before the push" } });

      const present = workerOf(stack, runs.definitions(TYPES));
      const done: Drained = { refused: 0, claimed: 0 };
      const pushed = Promise.withResolvers<void>();
      const working = workOn(worker, runs, pushed.promise);
      const draining = drain(stack, present, done);
      // If the test fails before it waits for them, its own error is the one to be shown.
      for (const ending of [working, draining]) ending.catch(() => {});
      await eventually(
        () => Promise.resolve(done.refused),
        (refused) => refused >= 3 && runs.all.length >= 200,
      );
      assertEquals(done.claimed, 0);
      await upgrade.push();
      pushed.resolve();
      await finish(worker, runs, held.running);
      const groups = held.grouped.payloads.map((payload) =>
        ["grouped", `g${(payload as { group: number }).group}`] as [string, string]
      );
      await finish(worker, runs, held.grouped, groups);
      await Promise.all([draining, working]);

      assert(done.claimed > 0, "the present library works once the schema is there");
      const alive = MESSAGES - STATES.dead;
      assertEquals(runs.of("Counted"), [alive, alive]);
      assertEquals(runs.of("Scheduled"), [SCHEDULES, SCHEDULES]);
      assertEquals(runs.of("Note"), [1, 1]);
      assertEquals(ordersOfGroups(runs), Array(GROUPS).fill("0,1,2,3,4,5,6,7,8,9"));
      assertEquals([attemptsOf(runs, "lost"), attemptsOf(runs, "retrying")], [[2], [2]]);
      await assertRedriven(stack, runs);
    },
  });
}

/** The dead letters of before the upgrade run again, under their ids. */
async function assertRedriven(stack: TestStack, runs: Runs): Promise<void> {
  const letters = await stack.sql<{ id: string }[]>`
    select id::text from public.messenger_failed_messages where reason = 'exhausted' order by id`;
  assertEquals(letters.length, STATES.dead);
  const { code, out, err } = await messenger(stack)("failed redrive --queue dead");
  assertEquals(code, 0, out + err);
  await drain(stack, workerOf(stack, runs.definitions(TYPES)));
  assertEquals(runs.of("Counted"), [MESSAGES, MESSAGES]);
  const ran = new Set(runs.all.map(({ id }) => id));
  assert(letters.every(({ id }) => ran.has(id)));
  assertEquals((await stack.sql`select from public.messenger_failed_messages`).length, 0);
}
