/** Messages that are written while a claim reads and notes all lanes of a queue. */

import { assertEquals } from "@std/assert";
import { takeClock } from "../support/clock.ts";
import { untilBlocked } from "../support/racing.ts";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("a message that a long transaction has written into a lane is claimed after its commit, also where all lanes were read meanwhile", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_queues (name) values ('reports')`;
    await sql`insert into public.messenger_queues (name, paused)
      select 'reports/paused' || n, true from generate_series(1, 3000) n`;
    await sql`insert into public.messenger_messages (type, payload, queue)
      select 'Note', '{}', 'reports/paused' || n from generate_series(1, 3000) n`;
    const claimedLanes = async () => {
      const [claim] = await sql<{ lanes: string[] }[]>`
        select array(
          select m ->> 3 from json_array_elements(public.messenger_claim(gen_random_uuid()) -> 'messages') as m
        ) as lanes`;
      return claim?.lanes;
    };
    await sql.begin(async (writing) => {
      await writing`select public.messenger_dispatch('Note', queue => 'reports', lane => 'acme')`;
      const [now] = await sql<{ now: Date }[]>`select now()`;
      await takeClock(sql, new Date((now?.now.getTime() ?? 0) + 10_000));
      assertEquals(await claimedLanes(), []);
    });
    assertEquals(await claimedLanes(), ["reports/acme"]);
  });

  test("a message whose transaction commits after all lanes were read and before that is noted is claimed at once", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_queues (name) values ('letters')`;
    await sql`insert into public.messenger_queues (name, paused)
      select 'letters/paused' || n, true from generate_series(1, 3000) n`;
    await sql`insert into public.messenger_messages (type, payload, queue)
      select 'Note', '{}', 'letters/paused' || n from generate_series(1, 3000) n`;
    const lanesOf = (claim: { messages: unknown[][] } | undefined) =>
      claim?.messages.map((message) => message[3]);
    // The claim waits at its note for the commit.
    await sql.unsafe(`
      do $do$ begin execute replace(
        pg_get_functiondef('messenger.note_scan'::regproc), 'begin\n', 'begin perform pg_advisory_xact_lock(4711);\n'
      ); end $do$`);
    let claiming: Promise<{ claim: { messages: unknown[][] } }[]> | undefined;
    const [now] = await sql<{ now: Date }[]>`select now()`;
    // Not before the begin of the transaction that dispatches.
    const from = (now?.now.getTime() ?? 0) + 1_000;
    const clock = await takeClock(sql, new Date(from));
    await sql.begin(async (writing) => {
      await writing`select pg_advisory_xact_lock(4711)`;
      await writing`select public.messenger_dispatch('Note', queue => 'letters', lane => 'acme')`;
      await clock.set(new Date(from + 10_000));
      claiming = sql<{ claim: { messages: unknown[][] } }[]>`
        select public.messenger_claim(gen_random_uuid()) as claim`.then((rows) => [...rows]);
      await untilBlocked(sql);
    });
    assertEquals(lanesOf((await claiming)?.[0]?.claim), []);
    const [next] = await sql<{ claim: { messages: unknown[][] } }[]>`
      select public.messenger_claim(gen_random_uuid()) as claim`;
    assertEquals(lanesOf(next?.claim), ["letters/acme"]);
  });

  for (
    const [when, routine, statement] of [
      ["is about to note its scan", "note_scan", "perform messenger.forget_lanes"],
      ["has found the lane full", "lanes_of_scan", "perform messenger.tidy_lanes"],
    ] as const
  ) {
    test(`a lane that gets room while a claim ${when} is claimed at once`, async ({ sql }) => {
      await sql`insert into public.messenger_queues (name, lane_concurrency) values ('reports', 1)`;
      await sql`insert into public.messenger_messages (type, payload, queue)
        select 'Note', '{}', 'reports/full' || n from generate_series(1, 1200) n, generate_series(1, 3)`;
      const from = Date.now() + 60_000;
      const clock = await takeClock(sql, new Date(from));
      const claim = async () => {
        const [row] = await sql<{ claim: { messages: [string, ...unknown[]][]; token: string } }[]>`
          select public.messenger_claim(gen_random_uuid(), 1200, 3600000) as claim`;
        return row?.claim ?? { messages: [], token: "" };
      };
      const settle = (token: string, id = "") =>
        sql`select public.messenger_settle(${sql.json([{ token, handled: [id] }])})`;
      const first = await claim();
      assertEquals(first.messages.length, 1200);
      assertEquals((await claim()).messages, []);
      // The lane is named, and full: its second message runs.
      await settle(first.token, first.messages[0]?.[0]);
      const second = await claim();
      assertEquals(second.messages.map((message) => message[3]), [first.messages[0]?.[3]]);
      await sql.unsafe(`
        do $do$ begin execute replace(
          pg_get_functiondef('messenger.${routine}'::regproc), '${statement}', 'perform pg_advisory_xact_lock(4712); ${statement}'
        ); end $do$`);
      if (routine === "note_scan") await clock.set(new Date(from + 31_000));
      let claiming: ReturnType<typeof claim> | undefined;
      await sql.begin(async (other) => {
        await other`select pg_advisory_xact_lock(4712)`;
        claiming = claim();
        await untilBlocked(sql);
        await settle(second.token, second.messages[0]?.[0]);
      });
      assertEquals((await claiming)?.messages, []);
      assertEquals(
        (await claim()).messages.map((message) => message[3]),
        [first.messages[0]?.[3]],
      );
    });
  }

  test("a repeatable-read transaction writes into a lane that was named again since it began", async ({ sql }) => {
    await sql`insert into public.messenger_queues (name) values ('notes')`;
    await sql`insert into messenger.lane_scans (queue, scanned_at, due_from) values ('notes', public.messenger_now(), public.messenger_now())`;
    await sql`select messenger.note_lane('notes/acme')`;
    await sql.begin("isolation level repeatable read", async (older) => {
      await older`select count(*) from messenger.lanes_to_scan`;
      await sql`select messenger.note_lane('notes/acme')`;
      await older`insert into public.messenger_messages (type, payload, queue, available_at)
        values ('Note', '{}', 'notes/acme', public.messenger_now() - interval '1 hour')`;
    });
    const [row] = await sql<{ number: number }[]>`
      select count(*)::integer as number from public.messenger_messages where queue = 'notes/acme'`;
    assertEquals(row?.number, 1);
  });
});
