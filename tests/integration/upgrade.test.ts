/** An upgrade to a release that changes the schema, while workers of both versions handle messages. */

import { createClient } from "@supabase/supabase-js";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  OutdatedSchemaError,
  SchemaVersion,
} from "../../supabase/functions/_shared/symphony/database/schema-version.ts";
import { defineMessage } from "../../supabase/functions/_shared/symphony/message/define-message.ts";
import { createMessenger } from "../../supabase/functions/_shared/symphony/messenger.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { NEXT, nextMigration } from "../support/next_release.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MESSAGES = 10_000;
const SCHEDULES = 50;

const next = await nextMigration();

/** Counts the runs of each message, over all workers. */
class Runs {
  readonly ofMessages = new Map<string, number>();
  readonly ofSchedules = new Map<string, number>();

  definitions() {
    const count = (runs: Map<string, number>, id: string) => runs.set(id, (runs.get(id) ?? 0) + 1);
    return [
      defineMessage({
        type: "Counted",
        schema: z.unknown(),
        handler: (_, { envelope }) => void count(this.ofMessages, envelope.id),
      }),
      defineMessage({
        type: "Scheduled",
        schema: z.unknown(),
        handler: (_, { envelope }) => void count(this.ofSchedules, envelope.id),
      }),
    ];
  }
}

/** A worker whose library needs a version of the schema. */
function workerOf({ url, secretKey }: TestStack, runs: Runs, needed: string) {
  const supabase = createClient(url, secretKey, { auth: { persistSession: false } });
  const messenger = createMessenger({
    supabase,
    messages: runs.definitions(),
    config: readConfig(() => undefined, { workerBatchSize: 50 }),
    log: createLogger({ level: "error", write: () => {} }),
  });
  return createWorker({ ...messenger, schema: new SchemaVersion(supabase, needed) });
}

/** Ticks until nothing is left. A library that is too new waits for the schema. */
async function drain(
  stack: TestStack,
  worker: ReturnType<typeof workerOf>,
): Promise<{ refused: number; claimed: number }> {
  const done = { refused: 0, claimed: 0 };
  while (await isOpen(stack)) {
    try {
      const { messages } = await worker.tick({ budgetMs: 2_000, maxMs: 20_000, caller: "waits" });
      done.claimed += messages.claimed;
    } catch (error) {
      if (!(error instanceof OutdatedSchemaError)) throw error;
      done.refused++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return done;
}

async function isOpen({ sql }: TestStack): Promise<boolean> {
  const [row] = await sql`select exists (select from public.messenger_messages)
    or exists (select from public.messenger_schedules where enabled) as open`;
  return row?.open === true;
}

testsOnStack({}, (test) => {
  test("an upgrade among 10,000 messages loses none and doubles none", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_messages (type, available_at)
      select 'Counted', now() from generate_series(1, ${MESSAGES})`;
    await sql`insert into public.messenger_schedules (name, message_type, payload, schedule_type, run_at)
      select 'once-' || n, 'Scheduled', '{}', 'once', now() + n * interval '40 milliseconds'
      from generate_series(1, ${SCHEDULES}) as n`;
    const runs = new Runs();
    const [older, newer] = [workerOf(stack, runs, next.from), workerOf(stack, runs, NEXT)];
    await assertRejects(
      () => newer.work({ budgetMs: 100 }),
      OutdatedSchemaError,
      `is version ${next.from}, and this version of Symphony Messenger needs ${NEXT}`,
    );
    assertEquals(runs.ofMessages.size, 0);

    const draining = Promise.all([drain(stack, older), drain(stack, newer)]);
    await eventually(() => Promise.resolve(runs.ofMessages.size), (handled) => handled >= 500);
    await sql.begin((transaction) =>
      transaction.unsafe(`set local role postgres; ${next.text}`).simple()
    );
    assert(runs.ofMessages.size < MESSAGES, "messages were in flight during the upgrade");
    const [olderDid, newerDid] = await draining;

    assert(newerDid.refused > 0, "the newer library waited for the schema");
    assert(newerDid.claimed > 0, "and worked on it");
    assert(olderDid.claimed > 0);
    const once = (counts: Map<string, number>) =>
      [...counts.values()].filter((n) => n === 1).length;
    assertEquals([runs.ofMessages.size, once(runs.ofMessages)], [MESSAGES, MESSAGES]);
    assertEquals([runs.ofSchedules.size, once(runs.ofSchedules)], [SCHEDULES, SCHEDULES]);
    assertEquals((await sql`select from public.messenger_failed_messages`).length, 0);
    const [{ outcomes } = { outcomes: null }] = await sql`
      select jsonb_object_agg(outcome, n) as outcomes
      from (select outcome, count(*) as n from public.messenger_schedule_runs group by 1) as o`;
    assertEquals(outcomes, { handled: SCHEDULES });
  });

  test("the functions of the version before keep working on the newer schema", async (stack) => {
    const [{ version } = { version: "" }] = await stack.sql`select messenger_version() as version`;
    assertEquals(version, NEXT);
    await stack.dispatch({ type: "Note", payload: { text: "x" } });
    assertEquals((await stack.tick()).messages.handled, 1);
  });
});
