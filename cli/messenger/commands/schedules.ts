/** `schedules`: each is named by its id or its name. */

import { type Command, Option } from "commander";
import {
  addCommand,
  type Context,
  limitOption,
  number,
  numberOrNone,
  orNull,
  parseJson,
  pathTo,
  text,
} from "../context.ts";
import { ApiError, UsageError } from "../../errors.ts";
import { parseMoment } from "../times.ts";

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

interface Timing {
  cron?: string;
  every?: string;
  at?: string;
  timezone?: string;
  maxRuns?: number | "none";
  startAt?: string;
  endAt?: string;
  catchUp?: string;
  catchUpLimit?: number | "none";
  overlap?: string;
  whilePaused?: string;
  jitter?: string;
  ttl?: string;
  queue?: string;
  priority?: number;
  groupKey?: string;
  name?: string;
  payload?: string;
}

const timing = () => [
  text("--cron <expression>", "at the times of a cron expression"),
  text("--every <duration>", "each time so long after the one before: 30s, 5m, 24h"),
  text("--at <time>", "once: an ISO time, 2h, tomorrow"),
  text("--timezone <zone>", "of the cron expression, such as Europe/Berlin"),
  numberOrNone("--max-runs <n>", "largest number of runs, or none for no limit"),
  text("--start-at <time>", "no run before, or none"),
  text("--end-at <time>", "no run after, or none"),
  new Option("--catch-up <how>", "what becomes of runs that were missed").choices([
    "latest",
    "all",
    "none",
  ]),
  numberOrNone(
    "--catch-up-limit <n>",
    "with all: largest number of missed runs that are made up, or none for 1,000",
  ),
  new Option("--overlap <how>", "whether a run may come while the last one is not done").choices([
    "allow",
    "skip",
  ]),
  new Option("--while-paused <how>", "what becomes of runs while their queue is paused").choices([
    "enqueue",
    "skip",
  ]),
  text("--jitter <duration>", "spreads runs"),
  text("--ttl <duration>", "how long a run's message matters, or none"),
  text("--queue <queue>", "queue of its messages"),
  number("--priority <n>", "priority of its messages"),
  text("--group-key <key>", "group of its messages"),
];

/** Adds the commands of schedules. */
export function addSchedules(program: Command, context: Context): void {
  const schedules = program.command("schedules")
    .description(
      "schedules: list, show, create, update, runs, preview, pause, resume, trigger, delete",
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
  addCommand<{ n?: number }>(
    schedules,
    context,
    "preview <schedule>",
    "shows the next planned times of one, by id or name",
    [number("--n <n>", "how many times to show")],
    async ([named = ""], { n = 5 }) => {
      const { body } = await context.call("GET", `${await pathOf(context, named)}/preview?n=${n}`);
      context.say(body, (body.occurrences as string[]).join("\n"));
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

/** By id or name; digits are an id where a schedule has it, and a name otherwise. */
async function pathOf(context: Context, named: string): Promise<string> {
  const path = pathTo("schedules", named);
  if (/^\d{1,18}$/.test(named)) {
    const isThere = await context.call("GET", path).then(() => true, (error) => {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    });
    if (isThere) return path;
  }
  const search = new URLSearchParams({ name: named, limit: "1" });
  const { body } = await context.call("GET", `/schedules?${search}`);
  const [found] = body.schedules as { id: string }[];
  if (found) return `/schedules/${found.id}`;
  throw new ApiError(404, "not_found", `there is no schedule with the id or name ${named}`);
}

function fieldsOf(context: Context, options: Timing) {
  const { cron, every, at, queue, priority, groupKey } = options;
  const { timezone, maxRuns, catchUp, catchUpLimit, overlap, whilePaused } = options;
  const { jitter, ttl, startAt, endAt } = options;
  if ([cron, every, at].filter((given) => given !== undefined).length > 1) {
    throw new UsageError("give only one of --cron, --every, --at");
  }
  const moment = (text: string, option: string) =>
    parseMoment(text, option, context.io.now(), "in").toISOString();
  const bound = (text: string | undefined, option: string) =>
    text === undefined || text === "none" ? orNull(text) : moment(text, option);
  return {
    message: defined({ queue, priority, groupKey }),
    schedule: defined({
      ...(cron !== undefined && { type: "cron", config: { cron } }),
      ...(every !== undefined && { type: "interval", config: { interval: every } }),
      ...(at !== undefined && { type: "once", config: { at: moment(at, "at") } }),
      ...{ timezone, catchUp, overlap, whilePaused, jitter },
      maxRuns: orNull(maxRuns),
      catchUpLimit: orNull(catchUpLimit),
      ttl: orNull(ttl),
      startAt: bound(startAt, "start-at"),
      endAt: bound(endAt, "end-at"),
    }),
  };
}

/** Drops fields that are null: a new schedule names only the settings that it has. */
function withoutNull(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
