/** How the bus is: `health`, `stats`, `ticks`, `actions`; and `prune`. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, text } from "../context.ts";
import { EXIT, UsageError } from "../../errors.ts";
import { changeMany } from "../many.ts";
import { type Entry, fields } from "../table.ts";
import { showDuration } from "../times.ts";
import { type Limits, limits, toSearch } from "./health-limits.ts";
import { QUEUE_COLUMNS } from "./queues.ts";

const CHECK_COLUMNS = ["state", "name", "found", "limit", "advice"];
const DURATIONS = new Set(["last tick", "oldest ready message", "overdue schedules", "cron_run"]);

/** Adds the commands that say how the bus is. */
export function addStatus(program: Command, context: Context): void {
  addCommand<Limits>(
    program,
    context,
    "health",
    "whether the bus is alive; ends with 1 where it is not",
    limits(),
    async (
      _,
      options,
    ) => {
      const body = await healthOf(context, options);
      sayChecks(context, body, rowsOf(body));
    },
  );
  addCommand(
    program,
    context,
    "stats",
    "the state of queues, dead letters, schedules and ticks",
    [],
    async () => {
      const { body } = await context.call("GET", "/stats");
      const { queues, ...rest } = body;
      if (context.json) return context.say(body, "");
      const leftOut = Number(body.leftOut);
      context.sayTable(
        queues as Entry[],
        QUEUE_COLUMNS,
        leftOut > 0
          ? `${leftOut} queues are left out, ${body.leftOutInUse} of them hold messages.`
          : undefined,
      );
      context.io.print(`\n${fields(rest, context.look)}`);
    },
  );
  addCommand<{ limit: number }>(program, context, "ticks", "lists the latest ticks", [
    limitOption(),
  ], (
    _,
    { limit },
  ) =>
    context.list(
      "/ticks",
      "ticks",
      ["id", "askedAt", "startedAt", "restedAt", "endedAt", "worker", "report"],
      {},
      limit,
    ));
  addCommand<{ limit: number }>(
    program,
    context,
    "actions",
    "the action log: what operators changed",
    [limitOption()],
    (
      _,
      { limit },
    ) =>
      context.list(
        "/actions",
        "actions",
        ["id", "at", "actor", "action", "affected", "target"],
        {},
        limit,
      ),
  );
}

/** Adds `prune`. */
export function addPrune(program: Command, context: Context): void {
  addCommand<{ failedOlderThan?: string; dryRun?: boolean }>(
    program,
    context,
    "prune",
    "deletes old dead letters, expired keys and records that are no longer needed, to the end",
    [
      text("--failed-older-than <duration>", "age of the dead letters that are deleted: 24h, 30d"),
      new Option("--dry-run", "only counts, up to 10,000 of each kind"),
    ],
    async (_, { failedOlderThan, dryRun = false }) => {
      if (failedOlderThan === undefined) {
        throw new UsageError("give --failed-older-than; the hourly job of the database takes 30d");
      }
      await changeMany(context, {
        path: "/prune",
        body: { failedOlderThan },
        ids: [],
        dryRun,
        participle: "deleted",
        noun: "row",
        isCounted: false,
        mayBeNone: true,
      });
    },
  );
}

async function healthOf(context: Context, options: Limits): Promise<Record<string, unknown>> {
  return (await context.call("GET", `/health?${toSearch(options)}`)).body;
}

function rowsOf(body: Record<string, unknown>): Entry[] {
  return (body.checks as Entry[]).map((check) => {
    const show = (value: unknown) =>
      typeof value === "number" && DURATIONS.has(String(check.name)) ? showDuration(value) : value;
    return {
      ...check,
      state: check.ok ? "ok" : "FAILING",
      found: show(check.found),
      limit: show(check.limit),
    };
  });
}

function sayChecks(context: Context, value: unknown, rows: readonly Entry[]): void {
  if (context.json) context.say(value, "");
  else context.sayTable(rows, CHECK_COLUMNS);
  if (rows.some(({ state }) => state !== "ok")) context.exitCode = EXIT.nothing;
}
