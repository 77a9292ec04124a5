/** The operators' commands: each is one request, or a list of pages. */

import { UnstorableError } from "../../supabase/functions/_shared/symphony/json.ts";
import { parseJson } from "../../supabase/functions/_shared/symphony/json-text.ts";
import { type Call, listAll } from "./client.ts";
import { type CommandLine, pick, toNumber, UsageError } from "./options.ts";
import { fields, table } from "./table.ts";

/** What a command has to say. */
export interface Said {
  /** For programs. */
  readonly value: unknown;
  /** For people. */
  readonly text: string;
  /** Whether all is well; the exit code says so. */
  readonly ok?: boolean;
}

/** Runs one command, given the words behind its name. */
export type Command = (call: Call, line: CommandLine, words: readonly string[]) => Promise<Said>;

type Columns = readonly string[];

const FILTER = ["type", "queue", "reason", "error", "from", "until"];
const SETTINGS = [
  ...["max-workers", "concurrency", "group-concurrency", "rate-limit", "rate-period-ms"],
  ...["weight", "lease-ms"],
];

const COLUMNS = {
  failed: ["id", "type", "queue", "reason", "attempts", "redriven", "failedAt", "error"],
  messages: [
    ...["id", "type", "queue", "status", "priority", "availableAt", "attempts", "snoozes"],
    ...["interruptions", "groupKey", "blocked", "alone", "cancelled", "error"],
  ],
  queues: [
    ...["name", "paused", "due", "delayed", "blocked", "alone", "processing", "oldestReadyAt"],
    ...["maxWorkers", "concurrency", "groupConcurrency", "rateLimit", "ratePeriodMs", "weight"],
    "leaseMs",
  ],
  schedules: [
    ...["id", "name", "type", "config", "timezone", "enabled", "disabledBy", "nextRunAt"],
    ...["lastRunAt", "runCount"],
  ],
  actions: ["id", "at", "actor", "action", "affected", "target"],
} satisfies Record<string, Columns>;

/** The commands, by the words that begin them. */
export const commands: Readonly<Record<string, Command>> = {
  "failed list": list("/failed-messages", "messages", COLUMNS.failed, FILTER),
  "failed show": (call, line, words) => show(call, line, `/failed-messages/${oneOf(words)}`),
  "failed redrive": (call, line, words) => {
    const { maxMessages, perSecond, payload, ...body } = pick(line, [
      ...FILTER,
      ...["max", "per-second", "to-queue", "payload"],
    ]);
    const given = { ...body, ...common(line), ...numbers({ maxMessages, perSecond }) };
    if (payload === undefined) return redrive(call, { ...given, ...idsOf(words) });
    return redrive(call, { ...given, payload: json(payload) }, `/${oneOf(words)}`);
  },
  "failed remove": async (call, line, words) => {
    const { maxMessages, ...filter } = pick(line, [...FILTER, "max"]);
    const { body } = await call("POST", "/failed-messages/remove", {
      ...filter,
      ...common(line),
      ...numbers({ maxMessages }),
      ...idsOf(words),
    });
    const text = line.dryRun ? `${body.matched} would be removed` : `${body.done} removed`;
    return { value: body, text };
  },
  "messages list": list("/messages", "messages", COLUMNS.messages, ["status", "type", "queue"]),
  "messages show": (call, line, words) => show(call, line, `/messages/${oneOf(words)}`),
  "messages cancel": async (call, line, words) => {
    const { body } = await call("POST", "/messages/cancel", {
      ...pick(line, ["type", "queue"]),
      ...common(line),
      ...idsOf(words),
    });
    const text = line.dryRun
      ? `${body.matched} would be cancelled`
      : `${body.done} were cancelled, ${body.running} were told to stop`;
    return { value: body, text };
  },
  "queues list": list("/queues", "queues", COLUMNS.queues, []),
  "queues pause": (call, line, words) => change(call, line, `/queues/${oneOf(words)}/pause`),
  "queues resume": (call, line, words) => change(call, line, `/queues/${oneOf(words)}/resume`),
  "queues set": async (call, line, words) => {
    const name = oneOf(words);
    const given = pick(line, SETTINGS);
    const settings = Object.entries(given).map(([field, value]) => [field, toNumber(field, value)]);
    if (settings.length === 0) {
      throw new UsageError(`give at least one of --${SETTINGS.join(", --")}`);
    }
    const { body } = await call("PATCH", `/queues/${name}`, Object.fromEntries(settings));
    return { value: body, text: fields(body) };
  },
  "schedules list": list("/schedules", "schedules", COLUMNS.schedules, ["type", "name"]),
  "schedules show": (call, line, words) => show(call, line, `/schedules/${oneOf(words)}`),
  "schedules pause": (call, line, words) => change(call, line, `/schedules/${oneOf(words)}/pause`),
  "schedules resume": (call, line, words) =>
    change(call, line, `/schedules/${oneOf(words)}/resume`),
  "schedules trigger": (call, line, words) =>
    change(call, line, `/schedules/${oneOf(words)}/trigger`),
  "schedules preview": async (call, line, words) => {
    const search = new URLSearchParams(pick(line, ["n"]));
    const { body } = await call("GET", `/schedules/${oneOf(words)}/preview?${search}`);
    return { value: body, text: (body.occurrences as string[]).join("\n") };
  },
  "schedules delete": async (call, line, words) => {
    pick(line, []);
    const { body } = await call("DELETE", `/schedules/${oneOf(words)}`);
    return { value: body, text: "removed" };
  },
  "actions": list("/actions", "actions", COLUMNS.actions, []),
  "health": async (call, line) => {
    const limits = pick(line, ["max-tick-age", "max-ready-age", "max-dead-letters"]);
    const { body } = await call("GET", `/health?${new URLSearchParams(limits)}`);
    const checks = body.checks as Record<string, unknown>[];
    const rows = checks.map((check) => ({ ...check, ok: check.ok ? "ok" : "FAILING" }));
    return {
      value: body,
      text: table(rows, ["ok", "name", "found", "limit"]),
      ok: body.status === "ok",
    };
  },
  "stats": async (call, line) => {
    pick(line, []);
    const { body } = await call("GET", "/stats");
    const { queues, ...rest } = body;
    return {
      value: body,
      text: `${table(queues as Record<string, unknown>[], COLUMNS.queues)}\n\n${fields(rest)}`,
    };
  },
};

function list(path: string, field: string, columns: Columns, allowed: readonly string[]): Command {
  return async (call, line, words) => {
    if (words.length > 0) throw new UsageError(`${words[0]}: is one word too many`);
    const { limit = "50", ...query } = pick(line, [...allowed, "limit"]);
    const most = toNumber("limit", limit) ?? Infinity;
    if (!(most >= 1)) throw new UsageError("--limit: has to be 1 or more, or none");
    const value = await listAll(call, path, field, query, most);
    return { value, text: table(value, columns) };
  };
}

async function show(call: Call, line: CommandLine, path: string): Promise<Said> {
  pick(line, []);
  const { body } = await call("GET", path);
  return { value: body, text: fields(body) };
}

async function change(call: Call, line: CommandLine, path: string): Promise<Said> {
  const { reason } = pick(
    line,
    path.startsWith("/schedules") && path.endsWith("/pause") ? ["reason"] : [],
  );
  const { body } = await call("POST", path, reason === undefined ? {} : { reason });
  return { value: body, text: fields(body) };
}

async function redrive(call: Call, given: object, one = ""): Promise<Said> {
  const { body } = await call("POST", `/failed-messages${one}/redrive`, given);
  const isDry = "dryRun" in given;
  return {
    value: body,
    text: isDry ? `${body.matched} would be redriven` : `${body.done} redriven`,
  };
}

function common({ dryRun }: CommandLine): { dryRun?: true } {
  return dryRun ? { dryRun } : {};
}

function idsOf(words: readonly string[]): { ids?: readonly string[] } {
  return words.length > 0 ? { ids: words } : {};
}

function numbers(
  given: Readonly<Record<string, string | undefined>>,
): Record<string, number | null> {
  const entries = Object.entries(given).filter((entry): entry is [string, string] =>
    entry[1] !== undefined
  );
  return Object.fromEntries(entries.map(([name, value]) => [name, toNumber(name, value)]));
}

function oneOf(words: readonly string[]): string {
  const [word] = words;
  if (word === undefined || words.length > 1) throw new UsageError("give one id or name");
  return encodeURIComponent(word);
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw new UsageError("--payload: has to be JSON");
    throw new UsageError(`--payload: ${error.path.join(".")}: ${error.message}`);
  }
}
