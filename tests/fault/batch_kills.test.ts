/** A process that is killed while it dispatches a batch, and started again. */

import { assert, assertEquals } from "@std/assert";
import { chooseSeed, randomFrom } from "../support/random.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MEMBERS = 12_000;
const KILLS = 4;
const PROGRAM = new URL("../support/batch_program.ts", import.meta.url).pathname;

function start(stack: TestStack): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM, String(MEMBERS)],
    env: { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: stack.secretKey },
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

const chunks = async (stack: TestStack) => {
  const [row] = await stack.sql<[{ n: number }]>`
    select coalesce(max(chunks), 0)::integer as n from public.messenger_batches`;
  return row.n;
};

testsOnStack({}, (test) => {
  test("killed in the middle of a batch and started again, it has dispatched the exact number, and one end", async (stack) => {
    const seed = chooseSeed();
    const random = randomFrom(seed);
    const about = `SYMPHONY_TEST_SEED=${seed}`;
    for (let kill = 0; kill < KILLS; kill++) {
      const program = start(stack);
      const before = await chunks(stack);
      await eventually(() => chunks(stack), (n) => n > before);
      await stack.sql`select pg_sleep(${random() * 0.05})`;
      program.kill("SIGKILL");
      await program.status;
      const [batch] = await stack.sql`select sealed_at from public.messenger_batches`;
      assertEquals(batch?.sealed_at, null, `killed too late, ${about}`);
    }
    assert((await start(stack).status).success);

    const [written] = await stack.sql`
      select count(*)::integer as count, count(distinct payload ->> 'n')::integer as distinct
      from public.messenger_messages`;
    assertEquals({ ...written }, { count: MEMBERS, distinct: MEMBERS }, about);
    await eventually(
      async () => {
        await stack.tick();
        return await stack.count();
      },
      (n) => n === 0,
      120_000,
    );
    const [batch] = await stack.sql`
      select total::integer, handled::integer, failed::integer from public.messenger_batches`;
    assertEquals({ ...batch }, { total: MEMBERS, handled: MEMBERS, failed: 0 }, about);
    const ends = (await stack.effects()).map(({ payload }) => payload.text);
    assertEquals(ends, ["finished"], about);
  });
});
