/** Emits, waits, timeouts and kills that meet: no wake-up is lost, and each wait has one outcome. */

import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { Racetrack } from "../support/racing.ts";
import { sized } from "../support/sizes.ts";

const ROUNDS = 1_000;
const WAITERS = sized(10_000, 100_000);

const track = new Racetrack(3);

/** Messages that run, each under a token of its own. */
async function running(number: number): Promise<{ id: string; token: string }[]> {
  const { sql } = track;
  await sql`truncate public.messenger_messages, public.messenger_steps, public.messenger_events,
    messenger.waits, messenger.event_notes, messenger.leases`;
  return await sql<{ id: string; token: string }[]>`
    insert into public.messenger_messages (type, status, lease_token, leased_until)
    select 'W', 'processing', gen_random_uuid(), now() + interval '1 hour'
    from generate_series(1, ${number}) returning id::text, lease_token::text as token`;
}

interface Read {
  readonly reads: readonly { readonly events: readonly unknown[] }[];
  readonly snapshot: string;
  readonly last_id: string;
  readonly stale: readonly string[];
}

const STEP = { handler: "handler", name: "wait", key: "", nth: 1, kind: "wait" };

/**
 * Parks a message for an hour or until an event, as a worker does that has found none that fits.
 * @param takes whether an event that is there is taken, and the message handled
 */
async function park(
  sql: postgres.Sql,
  { id, token }: { id: string; token: string },
  key: string,
  takes = false,
): Promise<boolean> {
  const [read] = await sql<{ answer: Read }[]>`
    select public.messenger_read_events(${
    sql.json([{ id, token, keys: [key], cursors: {}, since: "2020-01-01T00:00:00Z" }])
  }) as answer`;
  if (!read || read.answer.stale.length > 0) throw new Error("the lease is lost");
  const { snapshot, last_id, reads: [one] } = read.answer;
  if (takes && one && one.events.length > 0) {
    await sql`select public.messenger_settle(${sql.json([{ token, handled: [id] }])})`;
    return true;
  }
  await sql`select public.messenger_settle(${
    sql.json([{
      token,
      parked: [{
        id,
        delay_ms: null,
        waits: [key],
        step: {
          ...STEP,
          until_ms: 3_600_000,
          details: { keys: [key], cursors: { [key]: { id: last_id, snapshot } } },
        },
      }],
    }])
  })`;
  return false;
}

const emit = (sql: postgres.Sql | postgres.TransactionSql, key: string) =>
  sql`select public.messenger_emit(${key}, '1')`;

/** Sweeps until no note is left, and returns how many messages wait on. */
async function sweptAndWaiting(): Promise<number> {
  const { sql } = track;
  for (let n = 0; n < 200; n++) {
    const [notes] = await sql`select count(*)::int as n from messenger.event_notes`;
    if (notes?.n === 0) break;
    await sql`select messenger.wake_noted_waiters()`;
  }
  const [row] = await sql`select count(*)::int as n from public.messenger_messages
    where status = 'pending' and available_at > now()`;
  return row?.n;
}

track.testOnce("no event is missed by a message that begins to wait at that moment", async () => {
  const messages = await running(ROUNDS);
  const [one, two] = [track.lane(0), track.lane(1)];
  for (const [index, message] of messages.entries()) {
    // Events of other keys may share the lock.
    const key = `race:${index}`;
    await Promise.all([
      park(one, message, key, true),
      two.begin(async (sql) => {
        await emit(sql, key);
        if (index % 2 === 0) await sql`set constraints all immediate`;
      }),
    ]);
  }
  assertEquals(await sweptAndWaiting(), 0);
});

track.testOnce(
  "the timeout, an event and a kill of the worker leave one outcome, which every run sees",
  async () => {
    const messages = await running(ROUNDS);
    const { sql } = track;
    const save = async (lane: postgres.Sql, id: string, token: string, result: unknown) => {
      const [row] = await lane<{ answer: { stale: string[] } }[]>`
      select public.messenger_save_steps(${
        lane.json(
          [{ id, token, version: null, steps: [{ ...STEP, status: "done", result }] }] as never,
        )
      }) as answer`;
      return row?.answer.stale.length === 0;
    };
    const outcomes = new Set<string>();
    for (const { id, token } of messages) {
      const key = `outcome:${id}`;
      const seen: unknown[] = [];
      const first = async () => {
        // The first worker finds its time over, just as its lease runs out.
        if (await save(track.lane(0), id, token, { key, value: "timeout" })) seen.push("timeout");
      };
      const second = async () => {
        const lane = track.lane(1);
        const later = crypto.randomUUID();
        await lane`update public.messenger_messages set lease_token = ${later} where id = ${id}`;
        const [loaded] = await lane<{ answer: { steps: Record<string, { result: unknown }[]> } }[]>`
        select public.messenger_load_steps(${lane.json([{ id, token: later }])}) as answer`;
        const [stored] = loaded?.answer.steps[id] ?? [];
        if (stored) seen.push((stored.result as { value: string }).value);
        else if (await save(lane, id, later, { key, value: "event" })) seen.push("event");
      };
      await Promise.all([first(), second(), emit(track.lane(2), key)]);
      const rows = await sql<{ value: string }[]>`
      select result ->> 'value' as value from public.messenger_steps where message_id = ${id}`;
      assertEquals(rows.length, 1);
      assertEquals(new Set(seen), new Set([rows[0]?.value]));
      outcomes.add(rows[0]?.value ?? "");
    }
    assert(outcomes.size > 0);
  },
);

for (const isImmediate of [false, true]) {
  const how = isImmediate ? "that holds the key's lock" : "that is open";
  track.testOnce(`an emit ${how} delays no settle call, and wakes at its commit`, async () => {
    const [message] = await running(1);
    if (!message) throw new Error("there is no message");
    const [emitting, worker] = [track.lane(0), track.lane(1)];
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const { promise: emitted, resolve: isOpen } = Promise.withResolvers<void>();
    const open = emitting.begin(async (sql) => {
      await emit(sql, "held");
      if (isImmediate) await sql`set constraints all immediate`;
      isOpen();
      await end;
    });
    try {
      await emitted;
      await worker`set lock_timeout = '1ms'`;
      await park(worker, message, "held");
      await worker`set lock_timeout = 0`;
      await track.sql`select messenger.wake_noted_waiters()`;
      const [row] = await track.sql`select status, available_at > now() as waits
        from public.messenger_messages`;
      assertEquals([row?.status, row?.waits], ["pending", true]);
    } finally {
      resolve();
      await open;
    }
    assertEquals(await sweptAndWaiting(), 0);
  });
}

track.testOnce("an emit that is rolled back was never there", async () => {
  const [message] = await running(1);
  if (!message) throw new Error("there is no message");
  await park(track.lane(0), message, "undone");
  await track.lane(1).begin(async (sql) => {
    await emit(sql, "undone");
    await sql`set constraints all immediate`;
    throw new Error("undo");
  }).catch((error) => assertEquals(error.message, "undo"));
  assertEquals(await sweptAndWaiting(), 1);
  const [row] = await track.sql`select count(*)::int as n from public.messenger_events`;
  assertEquals(row?.n, 0);
});

track.testOnce("an emit in a repeatable read transaction wakes", async () => {
  const [message] = await running(1);
  if (!message) throw new Error("there is no message");
  const { promise: parked, resolve } = Promise.withResolvers<void>();
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>();
  const emitted = track.lane(0).begin("isolation level repeatable read", async (sql) => {
    // Its snapshot is older than the wait.
    await sql`select 1 from public.messenger_messages`;
    hasBegun();
    await parked;
    await emit(sql, "old snapshot");
  });
  await begun;
  await park(track.lane(1), message, "old snapshot");
  resolve();
  await emitted;
  assertEquals(await sweptAndWaiting(), 0);
});

track.testOnce("an event that is committed after a later one was seen is not lost", async () => {
  const [message] = await running(1);
  if (!message) throw new Error("there is no message");
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const { promise: emitted, resolve: isOpen } = Promise.withResolvers<void>();
  const early = track.lane(0).begin(async (sql) => {
    await emit(sql, "late");
    isOpen();
    await end;
  });
  await emitted;
  await emit(track.lane(2), "late");
  // The wait has seen the second event, which did not fit.
  await park(track.lane(1), message, "late");
  assertEquals(await sweptAndWaiting(), 1);
  resolve();
  await early;
  assertEquals(await sweptAndWaiting(), 0);
});

track.testOnce(`${WAITERS} messages that wait for one event are all woken`, async () => {
  await running(WAITERS);
  const { sql } = track;
  await sql`alter table public.messenger_messages disable trigger test_slowly`;
  await sql`update public.messenger_messages set status = 'pending', lease_token = null, leased_until = null,
    available_at = now() + interval '1 hour'`;
  await sql`insert into messenger.waits select 'start', id from public.messenger_messages`;
  await emit(track.lane(0), "start");
  const [woken] =
    await sql`select count(*)::int as n from public.messenger_messages where available_at <= now()`;
  assertEquals(woken?.n, 100);
  assertEquals(await sweptAndWaiting(), 0);
  await sql`alter table public.messenger_messages enable trigger test_slowly`;
});
