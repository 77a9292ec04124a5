/** `types list`: the message types of the deployed functions. */

import type { Command } from "commander";
import { addCommand, type Context } from "../context.ts";
import type { Entry } from "../table.ts";

const COLUMNS = ["type", "queue", "priority", "access", "timeoutMs", "ttlMs"];

/** Adds `list` to the command `types`. */
export function addTypesList(types: Command, context: Context): void {
  const description = "lists the message types of the deployed functions";
  addCommand(types, context, "list", description, [], async () => {
    const { body } = await context.call("GET", "/types");
    context.sayTable(body.types as Entry[], COLUMNS);
  });
}
