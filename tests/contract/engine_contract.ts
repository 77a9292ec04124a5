/** Promises of every engine to those that receive from it: what is not acknowledged comes again, and nothing else does. */

import { assert, assertEquals } from "@std/assert";
import type {
  Engine,
  EngineDelivery,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { published } from "./engine_sending_contract.ts";
import { promises } from "./promises.ts";

/** An engine to be tested, empty, with the queues `default` and `mail`. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** Ends the connections without a word. */
  loseConnection(): Promise<void>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
/** Long enough for a message to come again, in ms. */
const SOON_MS = 10_000;

/** Registers the suite for one engine. */
export function testEngine(name: string, open: () => Promise<EngineUnderTest>): void {
  const promise = promises(name, open);

  promise("a delivery is the message that was published", async ({ engine }) => {
    const message = published(7, { publication: 3, type: "Mail", queue: "mail" });
    await engine.publish([message], never);
    const [{ handle: _, ...delivery }] = await take(engine, 1);
    const { id, publication, type, queue, body } = message;
    assertEquals(without(delivery, "bytes"), {
      id,
      publication,
      type,
      queue,
      body,
      redelivered: 0,
    });
  });

  promise("a pull waits for a message that comes", async ({ engine }) => {
    const pulling = engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: SOON_MS });
    await engine.publish([published(1)], never);
    assertEquals(idsOf(await pulling), ["1"]);
  });

  promise("a pull returns nothing if nothing comes", async ({ engine }) => {
    assertEquals(await engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: 0 }), []);
  });

  promise("a pull takes as many messages and bytes as asked, and one in any case", async (t) => {
    const { engine } = t;
    const messages = [1, 2, 3, 4, 5].map((id) => published(id));
    await engine.publish(messages, never);
    const size = messages[0]?.bytes ?? 0;
    const pull = (max: number, maxBytes: number) => engine.pull({ max, maxBytes, waitMs: SOON_MS });
    await acknowledge(engine, await take(engine, 1));
    await filled(engine);
    assertEquals((await pull(1, 1_000_000)).length, 1);
    assertEquals((await pull(10, 1)).length, 1);
    assert((await pull(10, 2 * size)).length <= 2);
  });

  promise("a pull takes from the queues that are asked for", async ({ engine }) => {
    await engine.publish([published(1), published(2, { queue: "mail" })], never);
    const queues = ["mail"];
    const pulled = await engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: SOON_MS, queues });
    assertEquals(idsOf(pulled), ["2"]);
  });

  promise("what is acknowledged does not come again", async (t) => {
    await t.engine.publish([published(1), published(2)], never);
    const deliveries = await take(t.engine, 2);
    assertEquals(await t.engine.acknowledge(deliveries), [true, true]);
    await t.engine.close();
    assertEquals(await t.engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: 300 }), []);
  });

  promise("deliveries may be acknowledged in any order", async (t) => {
    await t.engine.publish([1, 2, 3, 4, 5].map((id) => published(id)), never);
    const [first, second, third, fourth, fifth] = await take(t.engine, 5);
    const told = [];
    for (const some of [[fourth, second], [first], [fifth]]) {
      told.push(...await t.engine.acknowledge(some.filter((one) => one !== undefined)));
    }
    assertEquals(told, [true, true, true, true]);
    await t.engine.close();
    assertEquals(idsOf(await take(t.engine, 1)), [third?.id]);
  });

  promise("a second acknowledgement is stale", async ({ engine }) => {
    await engine.publish([published(1)], never);
    const deliveries = await take(engine, 1);
    assertEquals(await engine.acknowledge(deliveries), [true]);
    assertEquals(await engine.acknowledge(deliveries), [false]);
  });

  promise("what is given back comes again, and is told to be a repeat", async ({ engine }) => {
    await engine.publish([published(1), published(2)], never);
    const deliveries = await take(engine, 2);
    await engine.giveBack(deliveries);
    const again = await take(engine, 2);
    assertEquals(idsOf(again).toSorted(), ["1", "2"]);
    assert(again.every(({ redelivered }) => redelivered > 0));
    assertEquals(await engine.acknowledge(deliveries), [false, false]);
    assertEquals(await engine.acknowledge(again), [true, true]);
  });

  promise("after a lost connection what was not acknowledged comes again", async (t) => {
    const { engine } = t;
    await engine.publish([1, 2, 3].map((id) => published(id)), never);
    const deliveries = await take(engine, 3);
    await acknowledge(engine, deliveries.slice(0, 1));
    await t.loseConnection();
    const again = await take(engine, 2);
    assert(again.every(({ redelivered }) => redelivered > 0));
    assert(idsOf(again).every((id) => idsOf(deliveries).includes(id)));
  });

  promise(
    "an acknowledgement over a lost connection is stale, and ends no newer delivery",
    async (t) => {
      const { engine } = t;
      await engine.publish([published(1)], never);
      const old = await take(engine, 1);
      await t.loseConnection();
      const again = await take(engine, 1);
      assertEquals(await engine.acknowledge(old), [false]);
      await engine.giveBack(old);
      assertEquals(await engine.acknowledge(again), [true]);
      assertEquals(await engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: 300 }), []);
    },
  );

  promise("a closed engine puts back what it holds, and may be used again", async (t) => {
    const { engine } = t;
    await engine.publish([published(1), published(2)], never);
    await take(engine, 1);
    await engine.close();
    assertEquals(idsOf(await take(engine, 2)).toSorted(), ["1", "2"]);
  });

  promise("the depth is the number of messages that wait", async ({ engine }) => {
    await engine.publish([1, 2, 3].map((id) => published(id)), never);
    const depth = (await engine.depth()).find(({ queue }) => queue === "default");
    assertEquals((depth?.ready ?? 0) + (depth?.unacknowledged ?? 0), 3);
  });
}

/** Pulls a number of messages, which may come one by one. */
async function take(engine: Engine, count: number): Promise<[EngineDelivery, ...EngineDelivery[]]> {
  const taken: EngineDelivery[] = [];
  const until = performance.now() + SOON_MS;
  while (taken.length < count && performance.now() < until) {
    const request = { max: count - taken.length, maxBytes: 1_000_000, waitMs: 500 };
    // A lost connection may be told by the first pull after it.
    taken.push(...await engine.pull(request).catch(() => []));
  }
  const [first, ...rest] = taken;
  if (!first || taken.length < count) throw new Error(`${taken.length} of ${count} have come`);
  return [first, ...rest];
}

/** Waits until an engine that sends ahead has sent. */
async function filled(engine: Engine): Promise<void> {
  const deliveries = await take(engine, 4);
  await engine.giveBack(deliveries);
  const again = await take(engine, 4);
  await engine.giveBack(again);
}

async function acknowledge(engine: Engine, deliveries: readonly EngineDelivery[]): Promise<void> {
  assertEquals(await engine.acknowledge(deliveries), deliveries.map(() => true));
}

function idsOf(deliveries: readonly EngineDelivery[]): string[] {
  return deliveries.map(({ id }) => id);
}

function without(delivery: object, name: string): object {
  return Object.fromEntries(Object.entries(delivery).filter(([key]) => key !== name));
}
