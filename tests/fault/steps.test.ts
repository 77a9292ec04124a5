/** Durable work whose process is killed: no step is lost, and only the one that ran is repeated, under its key. */

import { assert, assertEquals } from "@std/assert";
import { chooseSeed, randomFrom } from "../support/random.ts";
import { sized } from "../support/sizes.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const STEPS = sized(20, 100);
const KILLS = sized(5, 50);
const STEP_MS = sized(40, 200);
/** Steps that begin before a kill, however late that is. */
const STEPS_A_KILL = 2;

interface Start {
  readonly n: number;
  readonly key: string;
}

/** The recorded starts of steps, in order. */
async function starts(stack: TestStack, type: string): Promise<Start[]> {
  const effects = await stack.effects();
  return effects.filter((effect) => effect.type === type)
    .map(({ payload }) => payload as unknown as Start);
}

async function storedSteps(stack: TestStack): Promise<number> {
  const [row] = await stack.sql`select count(*)::int as n from public.messenger_steps`;
  return Number(row?.n);
}

async function deadLetters(stack: TestStack): Promise<number> {
  const [row] = await stack.sql`select count(*)::int as n from public.messenger_failed_messages`;
  return Number(row?.n);
}

/** Posts a tick whose process may be killed. */
const tick = (stack: TestStack) =>
  stack.post("tick", {}).then((response) => response.body?.cancel(), () => {});

/** Ticks, kills the process when this many steps have started, and waits for the end of the lease. */
async function killAfter(stack: TestStack, type: string, count: number, ms: number): Promise<void> {
  let isKilled = false;
  const ticks = (async () => {
    while (!isKilled) await tick(stack);
  })();
  try {
    await eventually(() => starts(stack, type), (all) => all.length >= count);
    await stack.sql`select pg_sleep(${ms / 1_000})`;
  } finally {
    isKilled = true;
    await kill(stack, ticks);
  }
}

/** Kills the process of a tick, and waits for the end of its leases and of the calls that it has made. */
async function kill(stack: TestStack, ticked: Promise<void>): Promise<void> {
  await stack.killFunction("tick");
  await ticked;
  await eventually(
    () =>
      stack.sql`
        select from public.messenger_messages where leased_until > clock_timestamp()
        union all
        select from pg_stat_activity
        where datname = current_database() and usename = 'authenticator' and state <> 'idle'`,
    (rows) => rows.length === 0,
  );
}

async function tickUntilDone(stack: TestStack): Promise<void> {
  await eventually(
    async () => {
      await tick(stack);
      return await stack.count();
    },
    (n) => n === 0,
    60_000,
  );
}

function assertEqualKeys(all: readonly Start[], about: string): void {
  const keys = Map.groupBy(all, ({ n }) => n);
  for (const [n, same] of keys) {
    assertEquals(new Set(same.map(({ key }) => key)).size, 1, `step ${n}, ${about}`);
  }
}

testsOnStack({ env: { SYMPHONY_WORKER_LEASE_MS: "600" } }, (test) => {
  test("killed again and again, a message is handled, and a step is repeated only by a kill that hit it", async (stack) => {
    const seed = chooseSeed();
    const random = randomFrom(seed);
    const about = `SYMPHONY_TEST_SEED=${seed}`;
    const allow = (steps: number) =>
      stack.sql`insert into public.test_effects (message_id, type, attempt, payload)
        values (0, 'allowed', 0, ${stack.sql.json({ steps })})`;
    await stack.dispatch({ type: "Steps", payload: { steps: STEPS, ms: STEP_MS, gated: true } });
    let hits = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const count = (await starts(stack, "Steps")).length;
      await allow(await storedSteps(stack) + STEPS_A_KILL);
      await killAfter(stack, "Steps", count + STEPS_A_KILL, random() * STEP_MS * 1.2);
      hits = (await starts(stack, "Steps")).length - await storedSteps(stack);
    }
    await allow(STEPS);
    await tickUntilDone(stack);

    const all = await starts(stack, "Steps");
    assertEquals(all.length - STEPS, hits, about);
    assertEqualKeys(all, about);
    const effects = await stack.effects();
    const results = effects.filter(({ type }) => type === "done").map(({ payload }) =>
      payload.results
    );
    assertEquals(results, [Array.from({ length: STEPS }, (_, n) => n)], about);
    assertEquals(await deadLetters(stack), 0, about);
    assertEquals(await storedSteps(stack), 0, about);
  });

  test("parallel steps that are killed each get their own result", async (stack) => {
    const seed = chooseSeed();
    const random = randomFrom(seed);
    await stack.dispatch({ type: "Parallel", payload: { steps: 20, ms: 400 } });
    for (let kill = 0; kill < 2; kill++) {
      const count = (await starts(stack, "Parallel")).length;
      await killAfter(stack, "Parallel", count + 1, 60 + random() * 250);
    }
    await tickUntilDone(stack);
    assertEqualKeys(await starts(stack, "Parallel"), `SYMPHONY_TEST_SEED=${seed}`);
    const done = (await stack.effects()).find(({ type }) => type === "done");
    assertEquals(done?.payload.results, Array.from({ length: 20 }, (_, n) => n));
  });

  test("a batch that a handler dispatches is exact, though its worker is killed between chunks", async (stack) => {
    const rows = 4_500;
    await stack.dispatch({ type: "Import", payload: { rows, ms: 150 } });
    for (const chunks of [1, 2]) {
      const killed = tick(stack);
      await eventually(
        () => stack.sql`select from public.messenger_batches where chunks >= ${chunks}`,
        (rows) => rows.length > 0,
      );
      await kill(stack, killed);
    }
    await eventually(async () => {
      await tick(stack);
      return await stack.effects();
    }, (effects) => effects.length > 0);
    const batches = await stack.sql`
      select id::text, total::int, sealed_at is not null as sealed from public.messenger_batches`;
    const [effect] = await stack.effects();
    assertEquals([...batches], [{ id: effect?.payload.batch, total: rows, sealed: true }]);
    const [members] = await stack.sql`
      select count(*)::int as n, count(distinct stamps #>> '{batch,nth}')::int as places
      from public.messenger_messages`;
    assertEquals(members, { n: rows, places: rows });
  });

  test("a step that fails for good is compensated once, across kills", async (stack) => {
    await stack.dispatch({ type: "Booking", payload: { ms: 100 } });
    for (const type of ["book", "pay", "cancel"]) {
      const count = (await stack.effects()).filter((effect) => effect.type === type).length;
      await killAfter(stack, type, count + 1, 0);
    }
    await tickUntilDone(stack);
    const effects = await stack.effects();
    const runs = (name: string) => effects.filter(({ type }) => type === name);
    // Each was repeated by the kill that hit it; the compensation has one key, so that it counts once.
    assertEquals(new Set(runs("cancel").map(({ payload }) => payload.key)).size, 1);
    assertEquals([runs("book").length, runs("cancel").length], [2, 2]);
    assert(runs("pay").length >= 2);
    assertEquals(await deadLetters(stack), 0);
  });
});
