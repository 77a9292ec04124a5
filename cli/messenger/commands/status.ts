/** How the bus is: `health`, `doctor`, `stats`, `ticks`, `types`, `actions`; and `prune`. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, number, text } from "../context.ts";
import { ApiError, EXIT, UsageError } from "../../errors.ts";
import { changeMany } from "../many.ts";
import { type Entry, fields } from "../table.ts";
import { showDuration } from "../times.ts";
import { VERSION } from "../../version.ts";
import { QUEUE_COLUMNS } from "./queues.ts";

const CHECK_COLUMNS = ["state", "name", "found", "limit", "advice"];
const DURATIONS = new Set(["last tick", "oldest ready message", "overdue schedules", "cron_run"]);

interface Limits {
  maxTickAge?: string;
  maxReadyAge?: string;
  maxScheduleAge?: string;
  maxDeadLetters?: number;
}

const limits = () => [
  text("--max-tick-age <duration>", "how long ago the last tick may have begun (3m)"),
  text("--max-ready-age <duration>", "how long a due message may have waited (5m)"),
  text("--max-schedule-age <duration>", "how long a schedule may be overdue (5m)"),
  number("--max-dead-letters <n>", "in the last hour; any number if left out"),
];

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
  addCommand<Limits>(
    program,
    context,
    "doctor",
    "looks at the configuration, the connection, the versions and the health, and says what to do",
    limits(),
    (_, options) => examine(context, options),
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
      ["id", "askedAt", "startedAt", "restedAt", "endedAt", "report"],
      {},
      limit,
    ));
  addCommand(program, context, "types", "lists the message types of the project", [], async () => {
    const { body } = await context.call("GET", "/types");
    const types = body.types as Entry[];
    context.sayTable(types, ["type", "queue", "priority", "access", "timeoutMs", "ttlMs"]);
  });
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
  const search = new URLSearchParams();
  for (const name of ["maxTickAge", "maxReadyAge", "maxScheduleAge", "maxDeadLetters"] as const) {
    const value = options[name];
    if (value !== undefined) search.set(name, String(value));
  }
  return (await context.call("GET", `/health?${search}`)).body;
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

async function examine(context: Context, options: Limits): Promise<void> {
  const rows: Entry[] = [];
  const add = (name: string, ok: boolean, found: unknown, advice: string) =>
    rows.push({
      state: ok ? "ok" : "FAILING",
      name,
      found,
      limit: null,
      advice: ok ? null : advice,
    });
  const url = context.io.variable("SUPABASE_URL") ?? "";
  const key = context.io.variable("SUPABASE_SECRET_KEY") ?? "";
  const isUrl = URL.canParse(url) && /^https?:/.test(url);
  add(
    "SUPABASE_URL",
    isUrl,
    url || null,
    "Set it to the project's URL, such as https://<ref>.supabase.co.",
  );
  const isSecret = key.startsWith("sb_secret_");
  add(
    "SUPABASE_SECRET_KEY",
    isSecret,
    key === "" ? null : isSecret ? "a secret key" : "no secret key",
    "Set it to a secret key of the project (sb_secret_...): dashboard, Settings, API keys.",
  );
  add("command", true, `${VERSION}, ${runtime()}`, "");
  let health: Record<string, unknown> | null = null;
  if (isUrl && key !== "") {
    try {
      const { body: { info } } = await context.call("GET", "/openapi.json");
      const { version } = info as { version: string };
      add(
        "function messenger",
        version === VERSION,
        version,
        `It is of another version than this command (${VERSION}): deploy it, or update the command.`,
      );
      const { body: { types } } = await context.call("GET", "/types");
      add(
        "message types",
        (types as Entry[]).length > 0,
        (types as Entry[]).length,
        "Export definitions from supabase/functions/_messages/mod.ts.",
      );
      health = await healthOf(context, options);
      rows.push(...rowsOf(health));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      add(
        "connection",
        false,
        error.message,
        error.exitCode === EXIT.refused
          ? "The project refuses the key. See SUPABASE_SECRET_KEY."
          : "See SUPABASE_URL, and whether the function messenger is deployed: supabase functions deploy messenger.",
      );
    }
  }
  sayChecks(context, { checks: rows, health }, rows);
}

function runtime(): string {
  const { Deno: deno, process } = globalThis as unknown as {
    Deno?: { version: { deno: string } };
    process?: { versions: { node: string } };
  };
  return deno ? `Deno ${deno.version.deno}` : `Node ${process?.versions.node}`;
}
