/** All commands, as commander's program. */

import { Command } from "commander";
import { addDispatch } from "./commands/dispatch.ts";
import { addFailed } from "./commands/failed.ts";
import { addMessages } from "./commands/messages.ts";
import { addQueues } from "./commands/queues.ts";
import { addSchedules } from "./commands/schedules.ts";
import { addPrune, addStatus } from "./commands/status.ts";
import type { Context } from "./context.ts";
import { VERSION } from "./version.ts";

const HELP = `
The project is the one of SUPABASE_URL and SUPABASE_SECRET_KEY.

Times: 2026-11-22, 2026-11-22T10:00:00Z, 2h, "2h ago", "in 5m", yesterday (UTC where no zone is given).
Exit codes: 0 done; 1 not healthy, nothing was done, or not there; 2 usage; 3 no connection; 4 key refused;
5 it does not go with the present state; 130 interrupted.`;

/** Makes the program; what it is told writes to the context's streams and ends nothing. */
export function createProgram(context: Context): Command {
  const program = new Command("messenger")
    .description("Operates Symphony Messenger over its management API.")
    .version(VERSION, "-V, --version", "the version")
    .helpOption("-h, --help", "help for a command")
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.io.print(text.trimEnd()),
      // Errors are written where the command ends, as text or JSON.
      writeErr: () => {},
      getOutHelpWidth: () => context.io.columns ?? 100,
      getErrHelpWidth: () => context.io.columns ?? 100,
    });
  addDispatch(program, context);
  addMessages(program, context);
  addFailed(program, context);
  addQueues(program, context);
  addSchedules(program, context);
  addStatus(program, context);
  addPrune(program, context);
  return program;
}
