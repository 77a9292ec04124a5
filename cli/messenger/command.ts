/** The operators' commands, over the management API. */

import type { Command } from "commander";
import { addAlerts } from "./commands/alerts.ts";
import { addDispatch } from "./commands/dispatch.ts";
import { addFailed } from "./commands/failed.ts";
import { addBatches } from "./commands/batches.ts";
import { addEvents } from "./commands/events.ts";
import { addOutbox } from "./commands/outbox.ts";
import { addMessages } from "./commands/messages.ts";
import { addQueues } from "./commands/queues.ts";
import { addSchedules } from "./commands/schedules.ts";
import { addWebhooks } from "./commands/webhooks.ts";
import { addPrune, addStatus } from "./commands/status.ts";
import { addTransports } from "./commands/transports.ts";
import type { Context } from "./context.ts";

/** Adds the commands of operators to the program. */
export function addMessenger(program: Command, context: Context): void {
  addDispatch(program, context);
  addMessages(program, context);
  addBatches(program, context);
  addOutbox(program, context);
  addEvents(program, context);
  addFailed(program, context);
  addQueues(program, context);
  addSchedules(program, context);
  addWebhooks(program, context);
  addAlerts(program, context);
  addTransports(program, context);
  addStatus(program, context);
  addPrune(program, context);
}
