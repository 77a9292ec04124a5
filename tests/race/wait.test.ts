/** The wait of a resident worker: what other sessions do that ends it. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { Racetrack } from "../support/racing.ts";
import { eventually } from "../support/stack.ts";

const LONGEST_MS = 5_000;

const track = new Racetrack(2);

/** Starts a wait for messages of the queue `heavy`, and returns once it sleeps between two looks. */
async function wait(): Promise<{ readonly foundOne: Promise<boolean> }> {
  const lane = track.lane(0);
  const [own] = await lane<[{ pid: number }]>`select pg_backend_pid() as pid`;
  const call = lane<[{ found: boolean }]>`
    select public.messenger_await_due('{heavy}', ${LONGEST_MS}) as found`;
  const foundOne = call.then(([{ found }]) => found);
  await eventually(
    () => track.sql`select wait_event from pg_stat_activity where pid = ${own.pid}`,
    ([session]) => session?.wait_event === "PgSleep",
  );
  return { foundOne };
}

const empty = async () => {
  await track.sql`truncate public.messenger_messages`;
  await track.sql`delete from public.messenger_queues where name = 'heavy'`;
};

/** A message that is due after an interval. */
const write = (queue: string, interval: string) =>
  track.sql`insert into public.messenger_messages (type, queue, available_at)
    values ('T', ${queue}, clock_timestamp() + ${interval}::interval)`;

/** Registers a test in which a change ends a wait. */
function endsWith(
  name: string,
  prepare: () => Promise<unknown>,
  change: (sql: postgres.Sql) => Promise<unknown>,
): void {
  track.testOnce(name, async () => {
    await empty();
    await prepare();
    const { foundOne } = await wait();
    await change(track.sql);
    assertEquals(await foundOne, true);
  });
}

endsWith(
  "a wait ends when another session commits a message",
  () => Promise.resolve(),
  (sql) => sql`select public.messenger_dispatch('T', queue => 'heavy')`,
);

endsWith(
  "a wait ends when a delayed message falls due, though no transaction commits then",
  () => write("heavy", "500 milliseconds"),
  () => Promise.resolve(),
);

endsWith(
  "a wait ends when a delayed message is made due",
  () => write("heavy", "1 hour"),
  (sql) => sql`update public.messenger_messages set available_at = now() where queue = 'heavy'`,
);

endsWith(
  "a wait ends when a message is moved to its queue",
  () => write("other", "0"),
  (sql) => sql`update public.messenger_messages set queue = 'heavy' where queue = 'other'`,
);

endsWith(
  "a wait ends when its queue is resumed",
  async () => {
    await track.sql`insert into public.messenger_queues (name, paused) values ('heavy', true)`;
    await write("heavy", "0");
  },
  (sql) => sql`update public.messenger_queues set paused = false where name = 'heavy'`,
);

track.testOnce(
  "a wait ends at the commit of a transaction that had written before it began",
  async () => {
    await empty();
    const [written, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const open = track.lane(1).begin(async (sql) => {
      await sql`select public.messenger_dispatch('T', queue => 'heavy')`;
      written.resolve();
      await commit.promise;
    });
    await written.promise;
    const { foundOne } = await wait();
    commit.resolve();
    await open;
    assertEquals(await foundOne, true);
  },
);

track.testOnce(
  "a wait ends without a message if there are others only, or none that was committed",
  async () => {
    await empty();
    await write("other", "0");
    const lane = track.lane(1);
    await lane.begin(async (sql) => {
      await sql`select public.messenger_dispatch('T', queue => 'heavy')`;
      throw new Error("rolled back");
    }).catch(() => {});
    const [row] = await track.lane(0)`select public.messenger_await_due('{heavy}', 50) as found`;
    assertEquals(row?.found, false);
  },
);
