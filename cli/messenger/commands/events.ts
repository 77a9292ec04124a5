/** `events`: what messages wait for. */

import type { Command } from "commander";
import { addCommand, type Context, limitOption, pathTo, text } from "../context.ts";

const COLUMNS = ["id", "event", "createdAt", "bytes", "waiting"];
const WAITING_COLUMNS = ["id", "type", "queue", "createdAt", "until", "events"];

/** Adds the commands of events. */
export function addEvents(program: Command, context: Context): void {
  const events = program.command("events")
    .description("what messages wait for: list, show, waiting");
  const ofKey = () => [text("--event <key>", "of this key"), limitOption()];
  addCommand<{ event?: string; limit: number }>(
    events,
    context,
    "list",
    "lists events, the latest first",
    ofKey(),
    (_, { event, limit }) => context.list("/events", "events", COLUMNS, { event }, limit),
  );
  addCommand(
    events,
    context,
    "show <id>",
    "shows one with its value",
    [],
    async ([id = ""]) => context.sayEntry((await context.call("GET", pathTo("events", id))).body),
  );
  addCommand<{ event?: string; limit: number }>(
    events,
    context,
    "waiting",
    "lists messages that wait for events, the latest first",
    ofKey(),
    (_, { event, limit }) =>
      context.list("/events/waiting", "messages", WAITING_COLUMNS, { event }, limit),
  );
}
