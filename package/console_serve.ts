/**
 * `deno task console`: builds the console and serves it against the project of SUPABASE_URL and SUPABASE_SECRET_KEY, as
 * the command `console` does. With `--watch` it is built again when a file below `console/` changes: reload the page.
 */

import { run } from "../cli/main.ts";
import { processIo } from "../cli/process.ts";
import { buildConsole, CONSOLE_DIR } from "./console.ts";

const SETTLE_MS = 100;

async function buildOnChange(): Promise<void> {
  const folder = new URL("../console", import.meta.url).pathname;
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const { kind } of Deno.watchFs(folder)) {
    if (kind === "access") continue;
    clearTimeout(timer);
    timer = setTimeout(
      () => buildConsole(CONSOLE_DIR).then(() => console.log("Built again."), () => {}),
      SETTLE_MS,
    );
  }
}

await buildConsole(CONSOLE_DIR);
const args = Deno.args.filter((argument) => argument !== "--watch");
if (args.length < Deno.args.length) void buildOnChange();
Deno.exit(await run(["console", ...args], processIo()));
