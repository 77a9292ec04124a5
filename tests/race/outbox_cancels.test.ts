/** Cancels of messages that another session publishes, receives or settles meanwhile: each message ends once. */

import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import type postgres from "postgres";
import { Broker } from "../support/broker.ts";
import { brokered, outboxOf } from "../support/brokered.ts";
import { define } from "../support/definitions.ts";
import { Racetrack } from "../support/racing.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const track = new Racetrack(2);
const TOKEN = "00000000-0000-4000-8000-000000000001";

/** Empties the tables, and lets a broker have a message. Returns its id. */
async function delivered(): Promise<string> {
  await track.sql`truncate messenger.outbox, messenger.relays, messenger.handled_deliveries,
    messenger.cancelled_deliveries, public.messenger_messages, public.messenger_failed_messages`;
  await track.sql`select public.messenger_declare_routing('{"events": true}', '{"T": "events"}')`;
  const [{ id }] = await track.sql<[{ id: string }]>`
    select public.messenger_dispatch('T', '1', group_key => 'g')::text as id`;
  await track.sql`update messenger.outbox set sent_at = clock_timestamp() where true`;
  return id;
}

/** Writes the outcome of a delivery, as a worker does. */
async function settle(
  sql: postgres.Sql,
  id: string,
  outcome: "handled" | "retries" | "dead" | "adopted",
) {
  const [{ origin }] = await sql<[{ origin: string }]>`
    select messenger.installation_id() as origin`;
  const identity = { id, source_id: id, origin, publication: 1 };
  const message = {
    ...{ ...identity, token: TOKEN, type: "T", payload: 1, queue: "default", priority: 0 },
    ...{ retry_count: 0, attempts: 1, snoozes: 0, interruptions: 0, created_at: new Date() },
    group_key: "g",
  };
  const told = outcome === "dead"
    ? { id, reason: "exhausted" }
    : { id, delay_ms: 0, retry_count: 1, errors: [] };
  const settlements = outcome === "adopted"
    ? []
    : [{ token: TOKEN, grouped: true, [outcome]: [told] }];
  const json = (value: unknown) => sql.json(value as postgres.JSONValue);
  await (outcome === "handled"
    ? sql`select public.messenger_settle_deliveries('events', handled => ${json([identity])})`
    : sql`select public.messenger_settle_deliveries('events', adopted => ${
      json([message])
    }, settlements => ${json(settlements)})`);
}

const cancel = async (sql: postgres.Sql, id: string) => {
  const [{ state }] = await sql<[{ state: { status: string; cancelling?: true } | null }]>`
    select public.messenger_cancel_message(${id}::bigint) as state`;
  return state;
};

/** Lets one call begin a transaction, and another one meet it before it is committed. */
async function meet<Result>(
  first: (sql: postgres.Sql) => Promise<unknown>,
  second: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const [one, other] = [track.lane(0), track.lane(1)];
  await one`begin`;
  await first(one);
  let isDone = false;
  const meeting = second(other).finally(() => isDone = true);
  await eventually(
    () =>
      track.sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
    (waiting) => isDone || waiting.length === 1,
  );
  await one`commit`;
  return await meeting;
}

/** The fate of the message, and the marks that are left. */
async function fate() {
  const letters = await track.sql<{ reason: string }[]>`
    select reason from public.messenger_failed_messages`;
  const [{ waiting, marks, home }] = await track.sql<
    [{ waiting: number; marks: number; home: number }]
  >`
    select (select count(*)::integer from messenger.outbox where sent_at is null) as waiting,
      (select count(*)::integer from messenger.cancelled_deliveries) as marks,
      (select count(*)::integer from public.messenger_messages) as home`;
  return { letters: letters.map(({ reason }) => reason), waiting, marks, home };
}

const nothing = { letters: [] as string[], waiting: 0, marks: 0, home: 0 };
const ends = [
  ["handled", { ...nothing }],
  ["retries", { ...nothing, letters: ["cancelled"] }],
  ["dead", { ...nothing, letters: ["exhausted"] }],
] as const;

for (const [outcome, end] of ends) {
  track.testOnce(
    `a cancel that meets the outcome "${outcome}" of a delivery leaves one end, and no mark`,
    async () => {
      const id = await delivered();
      await meet((sql) => settle(sql, id, outcome), (sql) => cancel(sql, id));
      assertEquals(await fate(), end);
    },
  );

  track.testOnce(
    `the outcome "${outcome}" of a delivery that meets its cancel leaves one end, and no mark`,
    async () => {
      const id = await delivered();
      await meet((sql) => cancel(sql, id), (sql) => settle(sql, id, outcome));
      assertEquals(await fate(), end);
    },
  );
}

track.testOnce(
  "a cancel that meets a delivery which becomes a message of home stops it there",
  async () => {
    const id = await delivered();
    const state = await meet((sql) => settle(sql, id, "adopted"), (sql) => cancel(sql, id));
    assertEquals([state?.status, state?.cancelling], ["processing", true]);
    assertEquals(await fate(), { ...nothing, home: 1 });
  },
);

/** Lets a relay take the message, and cancels it then. */
async function cancelledOnItsWay(id: string) {
  await track.sql`update messenger.outbox set sent_at = null where true`;
  const [{ claim }] = await track.sql<
    [{ claim: { shard: number; messages: { position: string }[] } }]
  >`select public.messenger_claim_outbox('events', ${TOKEN}) as claim`;
  assertEquals((await cancel(track.sql, id))?.cancelling, true);
  return { shard: claim.shard, sent: claim.messages.map(({ position }) => position) };
}

track.testOnce(
  "a message that is cancelled while a relay publishes it is dropped at its delivery",
  async () => {
    const id = await delivered();
    const { shard, sent } = await cancelledOnItsWay(id);
    await track.sql`select public.messenger_finish_outbox('events', ${shard}, ${TOKEN}, ${sent})`;
    const [{ told }] = await track.sql<[{ told: { deliveries: unknown[] } }]>`
    select public.messenger_look_up_deliveries('events', jsonb_build_array(jsonb_build_object(
      'origin', messenger.installation_id(), 'source_id', ${id}::bigint, 'publication', 1,
      'counted', false
    ))) as told`;
    assertEquals(told.deliveries, [{ handled: false, starts: 0, cancelled: true }]);
  },
);

track.testOnce(
  "a message whose publishing fails after its cancel is a dead letter at the next cancel, and leaves no mark",
  async () => {
    const id = await delivered();
    const { shard } = await cancelledOnItsWay(id);
    await track.sql`
    select public.messenger_finish_outbox('events', ${shard}, ${TOKEN}, failure => 'away')`;
    assertEquals((await cancel(track.sql, id))?.status, "cancelled");
    assertEquals(await fate(), { ...nothing, letters: ["cancelled"] });
  },
);

track.test(
  "cancels of a group's messages and their retries never wait for each other in a circle",
  {
    rounds: 40,
    prepare: async (sql) => {
      const id = await delivered();
      await sql`select public.messenger_dispatch('T', to_jsonb(n), group_key => 'g')
      from generate_series(2, 10) as n`;
      return [{ token: TOKEN, ids: [id] }];
    },
    calls: [
      (sql, [lease]) => settle(sql as postgres.Sql, lease?.ids[0] ?? "", "retries"),
      (sql) => sql`select public.messenger_cancel_outbox(group_key => 'g')`,
    ],
  },
);

testsOnStack({}, (test) => {
  test("each message that is cancelled while it is published, delivered or retried ends once, and never runs after it is told to be cancelled", async (stack) => {
    const broker = new Broker();
    const starts = new Map<string, number>();
    const handled: string[] = [];
    const T = define(async (payload, { envelope: { id }, attempt }) => {
      starts.set(id, performance.now());
      await delay(Math.random() * 4);
      if (Number(payload) % 2 === 0 && attempt < 3) throw new Error("no luck");
      handled.push(id);
    }, { retry: { maxRetries: 5, delay: 1, jitter: 0 } });
    const { bus, tick } = await brokered(stack, broker, [T]);
    const told = new Map<string, number>();
    const over = Promise.withResolvers<void>();
    const cancelling = (async () => {
      for (let round = 0; round < 40; round++) {
        const messages = Array.from({ length: 10 }, (_, payload) => ({
          ...{ type: "T", payload },
          ...payload > 7 && { options: { groupKey: "g" } },
        }));
        const ids = await bus.dispatchAll(messages);
        for (const id of ids.toSorted(() => Math.random() - 0.5).slice(0, 7)) {
          const state = await cancel(stack.sql, id);
          if (state?.status === "cancelled") told.set(id, performance.now());
        }
      }
    })().finally(over.resolve);
    let isOver = false;
    over.promise.then(() => isOver = true);
    while (!isOver) await tick(1_000);
    await cancelling;
    await eventually(async () => {
      await tick();
      return [broker.size, (await outboxOf(stack)).waiting.length];
    }, ([size, waiting]) => size === 0 && waiting === 0);
    const letters = await stack.sql<{ id: string; reason: string }[]>`
      select id::text, reason from public.messenger_failed_messages`;
    const ended = [...handled, ...letters.map(({ id }) => id)].toSorted();
    assertEquals([ended.length, new Set(ended).size], [400, 400]);
    assertEquals([...new Set(letters.map(({ reason }) => reason))], ["cancelled"]);
    const late = [...told].filter(([id, at]) => (starts.get(id) ?? 0) > at);
    assertEquals(late, []);
    const [{ marks }] = await stack.sql<[{ marks: number }]>`
      select count(*)::integer as marks from messenger.cancelled_deliveries`;
    assertEquals([marks, await stack.count()], [0, 0]);
  });
});
