/** An upgrade to a release that changes the schema, while workers of both versions handle messages. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { OutdatedSchemaError } from "../../supabase/functions/_shared/symphony/database/schema-version.ts";
import { NEXT, nextMigration } from "../support/next_release.ts";
import { eventually, testsOnStack } from "../support/stack.ts";
import { drain, Runs, workerOf } from "../support/upgrading.ts";

const MESSAGES = 10_000;
const SCHEDULES = 50;

const next = await nextMigration();

testsOnStack({}, (test) => {
  test("an upgrade among 10,000 messages loses none and doubles none", async (stack) => {
    const { sql } = stack;
    await sql`insert into public.messenger_messages (type, available_at)
      select 'Counted', now() from generate_series(1, ${MESSAGES})`;
    await sql`insert into public.messenger_schedules (name, message_type, payload, schedule_type, run_at)
      select 'once-' || n, 'Scheduled', '{}', 'once', now() + n * interval '40 milliseconds'
      from generate_series(1, ${SCHEDULES}) as n`;
    const runs = new Runs();
    const definitions = runs.definitions(["Counted", "Scheduled"]);
    const older = workerOf(stack, definitions, next.from);
    const newer = workerOf(stack, definitions, NEXT);
    await assertRejects(
      () => newer.work({ budgetMs: 100 }),
      OutdatedSchemaError,
      `is version ${next.from}, and this version of Symphony Messenger needs ${NEXT}`,
    );
    assertEquals(runs.all, []);

    const draining = Promise.all([drain(stack, older), drain(stack, newer)]);
    await eventually(() => Promise.resolve(runs.all.length), (handled) => handled >= 500);
    await sql.begin((transaction) =>
      transaction.unsafe(`set local role postgres; ${next.text}`).simple()
    );
    assert(runs.all.length < MESSAGES, "messages were in flight during the upgrade");
    const [olderDid, newerDid] = await draining;

    assert(newerDid.refused > 0, "the newer library waited for the schema");
    assert(newerDid.claimed > 0, "and worked on it");
    assert(olderDid.claimed > 0);
    assertEquals(runs.of("Counted"), [MESSAGES, MESSAGES]);
    assertEquals(runs.of("Scheduled"), [SCHEDULES, SCHEDULES]);
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
