/** `console`: serves the operators' page on this machine, until Ctrl-C. */

import { type Command, Option } from "commander";
import { EXIT, UsageError } from "../errors.ts";
import { addCommand, type Context, number, text } from "../messenger/context.ts";
import { withDash } from "../project/functions.ts";

interface Options {
  readonly port?: number;
  readonly readOnly?: boolean;
  readonly open: boolean;
  readonly url?: string;
  readonly secretKey?: string;
  readonly prefix?: string;
}

/** Adds the command. */
export function addConsole(program: Command, context: Context): void {
  addCommand<Options>(
    program,
    context,
    "console",
    "serves the operators' page on this machine; the secret key stays in this process",
    [
      number("--port <n>", "port on 127.0.0.1; by default 4983, or a free one"),
      new Option("--read-only", "refuses every change, and shows no buttons for it"),
      new Option("--no-open", "prints the address and opens no browser"),
      text("--url <url>", "the project's URL (SUPABASE_URL)"),
      text("--secret-key <key>", "one of its secret keys (SUPABASE_SECRET_KEY)"),
      text(
        "--prefix <prefix>",
        "what the names of its functions begin with (SYMPHONY_FUNCTION_PREFIX)",
      ),
    ],
    (_, options) => serve(context, options),
  );
}

async function serve(context: Context, options: Options): Promise<void> {
  const { startConsole } = await import("./console-server.ts");
  const { openBrowser } = await import("./open-browser.ts");
  const { io } = context;
  await using server = await startConsole({
    ...projectOf(context, options),
    port: checkPort(options.port),
    readOnly: options.readOnly ?? false,
  });
  context.say(
    { url: server.url, port: server.port },
    `console  ${server.url}\nThe address holds a key to it: do not pass it on. Ctrl-C ends it.`,
  );
  if (options.open && io.columns !== undefined) openBrowser(server.offerUrl());
  await new Promise<void>((resolve) => {
    if (io.signal?.aborted) resolve();
    io.signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  context.exitCode = EXIT.ok;
}

/** @throws UsageError if the URL or the key is missing */
function projectOf({ io }: Context, options: Options) {
  const url = options.url ?? io.variable("SUPABASE_URL");
  const secretKey = options.secretKey ?? io.variable("SUPABASE_SECRET_KEY");
  if (!url) throw new UsageError("--url: give the project's URL, or set SUPABASE_URL");
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new UsageError(`--url: has to be an http or https URL (${url})`);
  }
  if (!secretKey) throw new UsageError("--secret-key: set SUPABASE_SECRET_KEY, or give the flag");
  // A line break or a letter of another alphabet makes no header; the error of one would quote the key.
  if (!/^[\x21-\x7e]+$/.test(secretKey)) {
    throw new UsageError(
      "--secret-key: has characters that no key has, such as spaces or line breaks; copy it again",
    );
  }
  const prefix = withDash(options.prefix ?? io.variable("SYMPHONY_FUNCTION_PREFIX") ?? "");
  return { url, secretKey, prefix };
}

function checkPort(port: number | undefined): number | undefined {
  if (port === undefined) return undefined;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port: has to be a whole number from 0 to 65535 (${port})`);
}
