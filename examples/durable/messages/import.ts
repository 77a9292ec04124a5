/** An import of a large file as a batch: one message a row, and one more when no row is left. */

import { z } from "zod";
import {
  defineMessage,
  type MessageBus,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { contacts } from "./contacts.ts";
import { SendMail } from "./mail.ts";

const Contact = z.object({ mail: z.email(), name: z.string().min(1) });

/**
 * Imports rows, up to 500 in one call. The payload's schema takes any text: a row that it refused would end the
 * dispatch of the whole file. The handler checks the row, and a wrong one is a dead letter for itself.
 */
export const ImportRow = defineMessage({
  type: "ImportRow",
  schema: z.object({ line: z.int(), text: z.string() }),
  batch: { size: 500 },
  handleBatch: async (rows, { signal }) => {
    const checked = rows.map(({ payload: { text } }) => {
      const [mail, name] = text.split(";");
      return Contact.safeParse({ mail, name });
    });
    // An upsert by the address: a row that runs twice, after a crash, is there once.
    await contacts.upsert(checked.flatMap(({ data }) => data ? [data] : []), signal);
    return checked.map(({ error }) => error && new UnrecoverableError(z.prettifyError(error)));
  },
});

/** Tells the person who imported the file how many rows are there. */
export const ImportFinished = defineMessage({
  type: "ImportFinished",
  schema: z.object({ mail: z.email() }),
  handler: async ({ mail }, { envelope, dispatch, log }) => {
    const { total = 0, failed = 0 } = envelope.stamps.ofBatch ?? {};
    log.info("import_finished", { total, failed });
    await dispatch(SendMail, {
      to: mail,
      template: failed > 0 ? "import-with-errors" : "imported",
    });
  },
});

/**
 * Starts the import of a file, and returns the batch's id. A call that was killed may be repeated: what it has written
 * stays, and the rest is written.
 * @param bus in a function or a script: `createMessenger({ supabase, messages }).bus`
 * @param file names the file; one import of a name runs at a time
 * @param lines the file's lines, which are read as they are dispatched
 */
export function startImport(
  bus: Pick<MessageBus, "dispatchBatch">,
  { file, lines, mail }: { file: string; lines: AsyncIterable<string>; mail: string },
): Promise<string> {
  return bus.dispatchBatch(rowsOf(lines), {
    name: `import of ${file}`,
    idempotencyKey: `import:${file}`,
    onFinished: { definition: ImportFinished, payload: { mail } },
  });
}

async function* rowsOf(lines: AsyncIterable<string>) {
  let line = 0;
  for await (const text of lines) {
    line++;
    yield { definition: ImportRow, payload: { line, text } };
  }
}
