/** Steps that are saved while their messages are settled, cancelled, or taken by another worker. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { Racetrack } from "../support/racing.ts";

const MESSAGES = 200;

interface Message {
  readonly id: string;
  readonly token: string;
}

const track = new Racetrack(2);

/** Messages that run, each under a token of its own. */
async function running(): Promise<Message[]> {
  const { sql } = track;
  await sql`truncate public.messenger_messages, public.messenger_failed_messages,
    public.messenger_steps, messenger.leases`;
  return await sql<Message[]>`
    insert into public.messenger_messages (type, payload, status, attempts, lease_token, leased_until)
    select 'T', '{}', 'processing', 1, gen_random_uuid(), now() + interval '1 minute'
    from generate_series(1, ${MESSAGES})
    returning id::text, lease_token as token`;
}

/** Saves a step. Returns whether it was stored. */
async function save(sql: postgres.Sql, { id, token }: Message): Promise<boolean> {
  const steps = [{ handler: "h", name: "s", status: "done", result: 1 }];
  const [row] = await sql<{ stale: string[] }[]>`
    select array(select jsonb_array_elements_text(
      public.messenger_save_steps(${sql.json([{ id, token, steps }])}) -> 'stale'
    )) as stale`;
  return row?.stale.length === 0;
}

/** Saves a step of each message beside another call. Returns the ids of those that were told to be stored. */
async function saveBeside(call: (sql: postgres.Sql, message: Message) => Promise<unknown>) {
  const stored = new Set<string>();
  for (const [index, message] of (await running()).entries()) {
    const saved = () => save(track.lane(0), message);
    const other = () => call(track.lane(1), message);
    const started = index % 2 === 0 ? [saved(), other()] : [other(), saved()].toReversed();
    const [isStored] = await Promise.all(started);
    if (isStored) stored.add(message.id);
  }
  return stored;
}

async function withSteps(): Promise<Set<string>> {
  const rows = await track.sql<{ id: string }[]>`
    select message_id::text as id from public.messenger_steps`;
  return new Set(rows.map(({ id }) => id));
}

const settle = (sql: postgres.Sql, { token }: Message, outcomes: object) =>
  sql`select public.messenger_settle(${sql.json([{ token, ...outcomes }] as never)})`;

track.testOnce(
  "a step that is saved beside the end of its message leaves nothing behind",
  async () => {
    await saveBeside((sql, message) =>
      settle(sql, message, { handled: [message.id], durable: [message.id] })
    );
    assertEquals(await withSteps(), new Set());
    assertEquals((await track.sql`select from public.messenger_messages`).length, 0);
  },
);

track.testOnce(
  "a step that is told to be stored stays with a dead letter, and no other does",
  async () => {
    const stored = await saveBeside((sql, message) =>
      settle(sql, message, { dead: [{ id: message.id, reason: "exhausted", errors: [] }] })
    );
    assertEquals(await withSteps(), stored);
    assertEquals((await track.sql`select from public.messenger_failed_messages`).length, MESSAGES);
  },
);

track.testOnce(
  "a step that is saved beside a cancel is stored, because its message still runs",
  async () => {
    const stored = await saveBeside((sql, { id }) =>
      sql`select public.messenger_cancel_message(${id})`
    );
    assertEquals(stored.size, MESSAGES);
    assertEquals(await withSteps(), stored);
    const flagged = await track.sql`select from public.messenger_messages where cancelled`;
    assertEquals(flagged.length, MESSAGES);
  },
);

track.testOnce(
  "a step that is saved beside a cancelled message's park is stored or refused, and the message ends",
  async () => {
    const { sql } = track;
    const stored = await saveBeside(async (lane, message) => {
      await lane`select public.messenger_cancel_message(${message.id})`;
      await settle(lane, message, { released: [message.id] });
    });
    assertEquals(await withSteps(), stored);
    const dead = await sql`
    select from public.messenger_failed_messages where reason = 'cancelled'`;
    assertEquals(dead.length, MESSAGES);
  },
);
