/** `transports`: makes the queues of the transports of a project. */

import type { Command } from "commander";
import { EXIT } from "../../errors.ts";
import { addCommand, type Context } from "../context.ts";
import type { Entry } from "../table.ts";

/** Adds `transports`. */
export function addTransports(program: Command, context: Context): void {
  const transports = program.command("transports").description("the transports of the project");
  const description = "makes the queues of each transport; ends with 1 if one fails";
  addCommand(transports, context, "declare", description, [], async () => {
    const { body } = await context.call("POST", "/transports/declare");
    const entries = body.transports as Entry[];
    context.sayTable(entries, ["name", "state", "problem"]);
    if (entries.some(({ state }) => state === "failed")) context.exitCode = EXIT.nothing;
  });
}
