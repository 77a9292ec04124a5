/** The SQL of README and docs runs as printed, on the tables of a reader's project that it names. */

import { assert, assertEquals } from "@std/assert";
import { createTestDatabase } from "../support/database.ts";

/** A reader's tables, queues and dead letters, as far as the pages name them. */
const SURROUNDINGS = `
  create table public.orders (id bigint generated always as identity primary key,
    customer text, email text, note text, paid boolean);
  create table public.rows (row int);
  create table public.my_jobs (payload jsonb, status text, run_at timestamptz);
  insert into public.messenger_queues (name) values ('reports');
  insert into public.messenger_failed_messages (id, type, payload, reason, created_at, queue, priority)
    select n, 'EmailMessage', '{}', 'exhausted', now(), 'default', 0 from unnest('{42,4711}'::bigint[]) n;
  insert into public.messenger_steps (message_id, handler, name, status) values (4711, 'handler', 'pay', 'done');
  select cron.schedule('daily-digest', '0 9 * * *', 'select 1');
`;
/** The Logs Explorer speaks another SQL. */
const NOT_POSTGRES = /function_logs|timestamp_sub/;
/** These commit between their steps, which a test's transaction does not allow. */
const IN_STEPS = /^call messenger_in_steps.*$/gm;

Deno.test("each block of SQL in README and docs runs as printed", async () => {
  const folders = ["docs", "docs/migrating"];
  const pages = ["README.md", "SECURITY.md"].concat(
    ...folders.map((folder) =>
      [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    ),
  ).filter((path) => path.endsWith(".md"));
  const database = await createTestDatabase();
  const problems: string[] = [];
  let blocks = 0;
  try {
    const session = await database.sql.reserve();
    for (const page of pages) {
      const text = Deno.readTextFileSync(page);
      for (const [block, , code = ""] of text.matchAll(/^( *)```sql\n([^]*?)^ *```/gm)) {
        if (NOT_POSTGRES.test(code)) continue;
        blocks++;
        // A block may be a transaction of its own, which ends the one around it.
        const statements = code.replaceAll(IN_STEPS, "").replaceAll(/^(begin|commit);$/gm, "");
        const script = `begin;${SURROUNDINGS};${statements}`;
        await session.unsafe(script).simple().catch(({ message }) =>
          problems.push(
            `${page}:${text.slice(0, text.indexOf(block)).split("\n").length}: ${message}`,
          )
        );
        await session.unsafe("rollback");
      }
    }
    session.release();
  } finally {
    await database.drop();
  }
  assert(blocks > 30, `${blocks} blocks`);
  assertEquals(problems, []);
});
