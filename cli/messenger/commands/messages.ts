/** `messages`: those that wait or run. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, number, pathTo, text } from "../context.ts";
import { ApiError, UsageError } from "../../errors.ts";
import { changeMany } from "../many.ts";
import { type Entry, table } from "../table.ts";
import { findInOutbox } from "./outbox.ts";
import { originFields, type OriginFilter, originOptions } from "./origin-filter.ts";

const COLUMNS = [
  "id",
  "type",
  "queue",
  "status",
  "priority",
  "availableAt",
  "attempts",
  "snoozes",
  "interruptions",
  "groupKey",
  "blocked",
  "error",
];
const TAIL_COLUMNS = ["id", "type", "queue", "status", "availableAt", "groupKey"];

interface Filter {
  type?: string;
  queue?: string;
}
interface Change extends OriginFilter {
  all?: boolean;
  max?: number;
  dryRun?: boolean;
}

const filterOptions = () => [
  text("--type <type>", "of this message type"),
  text("--queue <queue>", "of this queue"),
];

/** Adds the commands of messages. */
export function addMessages(program: Command, context: Context): void {
  const messages = program.command("messages")
    .description("messages that wait or run: list, show, run, cancel, tail");
  addCommand<OriginFilter & { status?: string; limit: number }>(
    messages,
    context,
    "list",
    "lists messages, the latest first",
    [
      ...originOptions(),
      new Option("--status <status>", "pending or processing").choices(["pending", "processing"]),
      limitOption(),
    ],
    (_, { status, limit, ...filter }) =>
      context.list(
        "/messages",
        "messages",
        COLUMNS,
        { ...originFields(context, filter), status },
        limit,
      ),
  );
  addCommand(messages, context, "show <id>", "shows one with its payload and history", [], async (
    [id = ""],
  ) => context.sayEntry(await show(context, id)));
  for (
    const [verb, participle, description] of [
      ["run", "made due", "makes delayed messages and those that wait for their retry due now"],
      [
        "cancel",
        "cancelled",
        "cancels messages: those that wait become dead letters, those that run are stopped",
      ],
    ] as const
  ) {
    addCommand<Change>(
      messages,
      context,
      `${verb} [ids...]`,
      `${description}, by ids, by filter or all`,
      [
        ...originOptions(),
        new Option("--all", "all of them; goes with no filter"),
        number("--max <n>", "the oldest n of them at most"),
        new Option("--dry-run", "only counts"),
      ],
      (ids, { all, max, dryRun = false, ...filter }) =>
        changeMany(context, {
          path: `/messages/${verb}`,
          body: {
            ...originFields(context, filter),
            ...(all && { all }),
            ...(max !== undefined && { maxMessages: max }),
          },
          ids,
          dryRun,
          participle,
          noun: "message waits or runs",
          findElsewhere: async (missing) => {
            const found = await findInOutbox(context, missing);
            const there = verb === "run" ? "run <transport>" : `cancel ${found.join(" ")}`;
            return { ids: found, command: `see "outbox ${there}"` };
          },
        }),
    );
  }
  addCommand<Filter & { interval: number }>(
    messages,
    context,
    "tail",
    "shows messages as they come, until it is interrupted",
    [...filterOptions(), number("--interval <s>", "seconds between two looks").default(2)],
    (_, options) => tail(context, options),
  );
}

/** @throws ApiError where there is none; it says so if the outbox has it */
async function show(context: Context, id: string): Promise<Record<string, unknown>> {
  try {
    return (await context.call("GET", pathTo("messages", id))).body;
  } catch (error) {
    const isMissing = error instanceof ApiError && error.status === 404 && /^\d{1,19}$/.test(id);
    // A role that only reads may not ask.
    const found = isMissing ? await findInOutbox(context, [id]).catch(() => []) : [];
    if (!isMissing || found.length === 0) throw error;
    const where = 'it is in the outbox of another transport, see "outbox list"';
    throw new ApiError(error.status, error.code, `${error.message}; ${where}`, { inOutbox: found });
  }
}

/** Messages that are handled within the interval are not seen: they are gone. */
async function tail(
  context: Context,
  { type, queue, interval }: Filter & { interval: number },
): Promise<void> {
  const { signal } = context.io;
  // A timer of more than 24 days ends at once.
  if (interval < 0.1 || interval > 86_400) {
    throw new UsageError(`--interval: has to be from 0.1 to 86400 seconds (${interval})`);
  }
  const filter = {
    ...(type !== undefined && { type }),
    ...(queue !== undefined && { queue }),
  };
  let last: bigint | null = null;
  while (!signal?.aborted) {
    const search = new URLSearchParams({ ...filter, limit: "200" });
    const { body } = await context.call("GET", `/messages?${search}`);
    const found = (body.messages as Entry[]).toReversed();
    const before: bigint | null = last;
    const fresh = before === null
      ? found.slice(-10)
      : found.filter(({ id }) => BigInt(String(id)) > before);
    for (const entry of fresh) {
      context.io.print(
        context.json
          ? JSON.stringify(entry)
          : table([entry], TAIL_COLUMNS, context.look).text.split("\n")[1] ?? "",
      );
    }
    last = found.reduce((most, { id }) => {
      const own = BigInt(String(id));
      return own > most ? own : most;
    }, before ?? 0n);
    await pause(interval * 1000, signal);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
