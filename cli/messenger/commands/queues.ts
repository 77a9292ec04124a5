/** `queues`. */

import { type Command, Option } from "commander";
import {
  addCommand,
  type Context,
  limitOption,
  number,
  numberOrNone,
  orNull,
  pathTo,
} from "../context.ts";
import { UsageError } from "../../errors.ts";

const COLUMNS = [
  ...["name", "paused", "due", "delayed", "blocked", "processing", "oldestReadyAt"],
  ...["maxWorkers", "concurrency", "rateLimit", "ratePeriodMs", "weight", "runsOn"],
];
/** The columns of queues in a table. */
export const QUEUE_COLUMNS: readonly string[] = COLUMNS;

const settings = (): Option[] => [
  number("--max-workers <n>", "largest number of ticks that drain its backlog at once"),
  numberOrNone("--concurrency <n>", "largest number of its messages that run at once, or none"),
  number("--group-concurrency <n>", "largest number of messages of one group that run at once"),
  numberOrNone(
    "--rate-limit <n>",
    "largest number of messages that start in a rate period, or none",
  ),
  number("--rate-period-ms <ms>", "the rate period"),
  number("--weight <n>", "its share of each claim"),
  numberOrNone("--lease-ms <ms>", "how long its leases last, or none"),
  new Option("--runs-on <place>", "in ticks and workers that name it, or in workers only")
    .choices(["tick", "worker"]),
  numberOrNone(
    "--lane-concurrency <n>",
    "largest number of messages of one lane that run at once, or none",
  ),
  numberOrNone(
    "--lane-rate-limit <n>",
    "largest number of messages of one lane that start in a lane's rate period, or none",
  ),
  number("--lane-rate-period-ms <ms>", "the rate period of lanes"),
];

/** Adds the commands of queues. */
export function addQueues(program: Command, context: Context): void {
  const queues = program.command("queues")
    .description("queues: list, lanes, show, create, set, pause, resume, delete");
  const path = (name: string) => pathTo("queues", name);
  addCommand<{ limit: number }>(
    queues,
    context,
    "list",
    "lists queues by name, with their depth",
    [limitOption()],
    (_, { limit }) => context.list("/queues", "queues", COLUMNS, {}, limit),
  );
  addCommand<{ limit: number }>(
    queues,
    context,
    "lanes <name>",
    "lists the lanes of a queue that hold messages, or for which something is set",
    [limitOption()],
    ([name = ""], { limit }) => context.list(`${path(name)}/lanes`, "queues", COLUMNS, {}, limit),
  );
  addCommand(
    queues,
    context,
    "show <name>",
    "shows a queue",
    [],
    async ([name = ""]) => context.sayEntry((await context.call("GET", path(name))).body),
  );
  addCommand<Record<string, number | "none">>(
    queues,
    context,
    "create <name>",
    "makes a queue before its first message comes",
    settings(),
    async ([name = ""], options) =>
      context.sayEntry((await context.call("POST", "/queues", { name, ...given(options) })).body),
  );
  addCommand<Record<string, number | "none">>(
    queues,
    context,
    "set <name>",
    "changes the settings that are given",
    settings(),
    async ([name = ""], options) => {
      const changes = given(options);
      if (Object.keys(changes).length === 0) {
        throw new UsageError(
          `give at least one of ${settings().map(({ long }) => long).join(", ")}`,
        );
      }
      context.sayEntry((await context.call("PATCH", path(name), changes)).body);
    },
  );
  for (
    const [verb, description] of [
      ["pause", "stops claims from a queue; it accepts messages"],
      ["resume", "allows claims from a queue again"],
    ] as const
  ) {
    addCommand(
      queues,
      context,
      `${verb} <name>`,
      description,
      [],
      async ([name = ""]) =>
        context.sayEntry((await context.call("POST", `${path(name)}/${verb}`, {})).body),
    );
  }
  addCommand(queues, context, "delete <name>", "deletes a queue that holds no messages", [], async (
    [name = ""],
  ) => {
    const { body } = await context.call("DELETE", path(name));
    context.say(body, `${name} deleted`);
  });
}

function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { json: _json, wide: _wide, ...rest } = options;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, orNull(value)]));
}
