/**
 * An import of a file as a batch, with its progress. Needs no stack. It imports 2,000 rows, or as many as one says:
 * `deno test examples/durable/import.test.ts -- 100000`.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { type Contact, contacts } from "./messages/contacts.ts";
import { ImportFinished, startImport } from "./messages/import.ts";
import { messages } from "./messages/mod.ts";
import { mailbox, replace } from "./replaced.ts";

const ROWS = Number(Deno.args[0] ?? 2_000);
const LONGEST_DRAIN_MS = 600_000;
const FILE = { file: "contacts.csv", mail: "ada@example.org" };

/** The lines of a file. Every thousandth has no address. The file ends with an error at line `broken`. */
async function* linesOf(count: number, broken = Infinity): AsyncGenerator<string> {
  for (let line = 1; line <= count; line++) {
    if (line === broken) throw new Error("the connection to the file is closed");
    yield await Promise.resolve(
      line % 1_000 === 0 ? `;Mallory` : `user${line}@example.org;User ${line}`,
    );
  }
}

/** A CRM in memory until the end of the scope, which calls `onUpsert` before each write. */
function fakeCrm(onUpsert: () => Promise<void> = () => Promise.resolve()) {
  const written: Contact[] = [];
  const replaced = replace(contacts, {
    upsert: async (rows) => {
      await onUpsert();
      written.push(...rows);
    },
  });
  return { written, [Symbol.dispose]: () => replaced[Symbol.dispose]() };
}

Deno.test(`a file of ${ROWS} rows is imported, its progress seen, and its end told once`, async () => {
  const t = createTestMessenger({ messages });
  let id = "";
  const progress: number[] = [];
  using crm = fakeCrm(async () => void progress.push((await t.batch(id))?.handled ?? -1));
  using mailed = mailbox();

  id = await startImport(t.bus, { ...FILE, lines: linesOf(ROWS) });
  assertEquals((await t.batch(id))?.pending, ROWS);
  await t.drain({ maxMs: LONGEST_DRAIN_MS });

  const wrong = Math.floor(ROWS / 1_000);
  const batch = await t.batch(id);
  assertEquals(
    [batch?.status, batch?.total, batch?.handled, batch?.failed],
    ["failed", ROWS, ROWS - wrong, wrong],
  );
  assertEquals(crm.written.length, ROWS - wrong);
  assertEquals(
    t.failed().map(({ payload, reason }) => [payload, reason]),
    Array.from({ length: wrong }, (_, n) => [
      { line: (n + 1) * 1_000, text: ";Mallory" },
      "unrecoverable",
    ]),
  );

  assertEquals(progress, progress.toSorted((a, b) => a - b));
  assertEquals([progress[0], new Set(progress).size > 1], [0, true]);

  t.assertDispatched(ImportFinished, { mail: FILE.mail }, { times: 1 });
  assertEquals(mailed.mails, [{ to: FILE.mail, template: "import-with-errors" }]);
});

Deno.test("an import that was killed on its way is repeated, and each row is written once", async () => {
  const t = createTestMessenger({ messages });
  using crm = fakeCrm();
  using mailed = mailbox();

  await assertRejects(
    () => startImport(t.bus, { ...FILE, lines: linesOf(1_990, 1_500) }),
    Error,
    "the connection to the file is closed",
  );
  await t.drain(); // the first thousand rows run, but the end is not told: the batch is not sealed
  assertEquals([crm.written.length, mailed.mails], [999, []]);

  const id = await startImport(t.bus, { ...FILE, lines: linesOf(1_990) });
  await t.drain();
  assertEquals((await t.batch(id))?.total, 1_990);
  assertEquals([crm.written.length, mailed.mails.length], [1_989, 1]);
});
