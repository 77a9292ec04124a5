/** `batches`: messages that were dispatched together. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, pathTo, text } from "../context.ts";
import { changeMany } from "../many.ts";

const COLUMNS = ["id", "name", "status", "total", "handled", "failed", "pending", "createdAt"];

/** Adds the commands of batches. */
export function addBatches(program: Command, context: Context): void {
  const batches = program.command("batches")
    .description("messages that were dispatched together: list, show, members, cancel");
  addCommand<{ name?: string; limit: number }>(
    batches,
    context,
    "list",
    "lists batches, the latest first",
    [text("--name <name>", "of this name"), limitOption()],
    (_, { name, limit }) => context.list("/batches", "batches", COLUMNS, { name }, limit),
  );
  addCommand(
    batches,
    context,
    "show <id>",
    "shows one with its counts",
    [],
    async ([id = ""]) => context.sayEntry((await context.call("GET", pathTo("batches", id))).body),
  );
  addCommand<{ status?: string; limit: number }>(
    batches,
    context,
    "members <id>",
    "lists the members of a batch in their order, with their states",
    [
      text("--status <status>", "pending, processing, retrying, failed, cancelled or handled"),
      limitOption(),
    ],
    ([id = ""], { status, limit }) =>
      context.list(`${pathTo("batches", id)}/members`, "members", ["id", "type", "status"], {
        status,
      }, limit),
  );
  addCommand<{ dryRun?: boolean }>(
    batches,
    context,
    "cancel <id>",
    "cancels the members of a batch that wait or run; it takes no further one",
    [new Option("--dry-run", "only counts")],
    ([id = ""], { dryRun = false }) =>
      changeMany(context, {
        path: `${pathTo("batches", id)}/cancel`,
        body: {},
        ids: [],
        isOfOne: true,
        dryRun,
        participle: "cancelled",
        noun: "member",
        isCounted: false,
        mayBeNone: true,
      }),
  );
}
