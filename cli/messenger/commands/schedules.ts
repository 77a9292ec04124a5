/** `schedules`: each is named by its id or its name. */

import type { Command } from "commander";
import { addCommand, type Context, limitOption, number, parseJson, text } from "../context.ts";
import { UsageError } from "../../errors.ts";
import { addForecasts } from "./forecasts.ts";
import { fieldsOf, pathOf, type Timing, timing, withoutNull } from "./schedule-fields.ts";

const COLUMNS = [
  ...[
    "id",
    "name",
    "type",
    "enabled",
    "nextRunAt",
    "lastRunAt",
    "runCount",
    "timezone",
    "disabledBy",
  ],
  "config",
];
const RUN_COLUMNS = [
  "occurrence",
  "run",
  "outcome",
  "messageId",
  "enqueuedAt",
  "finishedAt",
  "reason",
];

/** Adds the commands of schedules. */
export function addSchedules(program: Command, context: Context): void {
  const schedules = program.command("schedules")
    .description(
      "schedules: list, show, create, update, runs, upcoming, preview, pause, resume, trigger, delete",
    );
  addCommand<{ type?: string; name?: string; limit: number }>(
    schedules,
    context,
    "list",
    "lists schedules",
    [
      text("--type <type>", "of messages of this type"),
      text("--name <name>", "of this name"),
      limitOption(),
    ],
    (_, { type, name, limit }) =>
      context.list("/schedules", "schedules", COLUMNS, { type, name }, limit),
  );
  addCommand(schedules, context, "show <schedule>", "shows one, by id or name", [], async (
    [named = ""],
  ) => context.sayEntry((await context.call("GET", await pathOf(context, named))).body));
  addCommand<Timing>(
    schedules,
    context,
    "create <type> <payload>",
    "makes a schedule for messages of a type; the payload is JSON",
    [text("--name <name>", "its name: what has it already is changed"), ...timing()],
    async ([type = "", payload = ""], options) => {
      const { message, schedule } = fieldsOf(context, options);
      if (schedule.config === undefined) throw new UsageError("give one of --cron, --every, --at");
      const { body } = await context.call("POST", "/schedules", {
        type,
        payload: parseJson(payload, "payload"),
        ...withoutNull(message),
        schedule: {
          ...withoutNull(schedule),
          ...(options.name !== undefined && { name: options.name }),
        },
      });
      context.sayEntry(body);
    },
  );
  addCommand<Timing>(
    schedules,
    context,
    "update <schedule>",
    "changes what is given of one, by id or name",
    [
      text("--name <name>", "its new name"),
      text("--payload <json>", "payload of its messages"),
      ...timing(),
    ],
    async ([named = ""], options) => {
      const { message, schedule } = fieldsOf(context, options);
      const { name, payload } = options;
      const changes = {
        ...message,
        ...schedule,
        ...(name !== undefined && { name }),
        ...(payload !== undefined && { payload: parseJson(payload, "--payload") }),
      };
      if (Object.keys(changes).length === 0) throw new UsageError("give what is to be changed");
      context.sayEntry((await context.call("PATCH", await pathOf(context, named), changes)).body);
    },
  );
  addForecasts(schedules, context);
  addControls(schedules, context);
}

function addControls(schedules: Command, context: Context): void {
  addCommand<{ limit: number }>(
    schedules,
    context,
    "runs <schedule>",
    "lists the latest runs of one, by id or name",
    [number("--limit <n>", "largest number of runs to list, up to 200").default(20)],
    async ([named = ""], { limit }) => {
      const { body } = await context.call(
        "GET",
        `${await pathOf(context, named)}/runs?limit=${limit}`,
      );
      context.sayTable(body.runs as Record<string, unknown>[], RUN_COLUMNS);
    },
  );
  for (
    const [verb, description] of [
      ["pause", "stops one until it is resumed, by id or name"],
      ["resume", "resumes one from now on, by id or name"],
      ["trigger", "runs one once now, paused or not, by id or name"],
    ] as const
  ) {
    addCommand<{ reason?: string }>(
      schedules,
      context,
      `${verb} <schedule>`,
      description,
      verb === "pause" ? [text("--reason <text>", "why")] : [],
      async ([named = ""], { reason }) =>
        context.sayEntry(
          (await context.call(
            "POST",
            `${await pathOf(context, named)}/${verb}`,
            reason === undefined ? {} : { reason },
          )).body,
        ),
    );
  }
  addCommand(
    schedules,
    context,
    "delete <schedule>",
    "removes one and the record of its runs, by id or name",
    [],
    async (
      [named = ""],
    ) => {
      const { body } = await context.call("DELETE", await pathOf(context, named));
      context.say(body, "removed");
    },
  );
}
