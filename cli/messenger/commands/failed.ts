/** `failed`: dead letters. */

import { type Command, Option } from "commander";
import {
  addCommand,
  type Context,
  limitOption,
  number,
  parseJson,
  pathTo,
  text,
} from "../context.ts";
import { UsageError } from "../../errors.ts";
import { changeMany } from "../many.ts";
import { originFields, type OriginFilter, originOptions, past } from "./origin-filter.ts";

const COLUMNS = ["id", "type", "queue", "reason", "attempts", "redriven", "failedAt", "error"];
const GROUP_COLUMNS = [
  "count",
  "type",
  "reason",
  "error",
  "firstFailedAt",
  "lastFailedAt",
  "lastId",
];
const REASONS =
  "exhausted, unrecoverable, crashed, invalid, unknown_type, expired, cancelled, interrupted";

interface Filter extends OriginFilter {
  reason?: string;
  from?: string;
  to?: string;
  until?: string;
}

interface Change extends Filter {
  all?: boolean;
  max?: number;
  perSecond?: number;
  toQueue?: string;
  payload?: string;
  fromStep?: string;
  dryRun?: boolean;
}

const filterOptions = () => [
  ...originOptions(),
  text("--reason <reason>", `with this reason: ${REASONS}`),
  text("--from <time>", "failed at this time or later: 2h, yesterday, 2026-11-22, an ISO time"),
  text("--to <time>", "failed before this time"),
  text("--until <time>", "the same as --to").hideHelp(),
];
const changeOptions = () => [
  ...filterOptions(),
  new Option("--all", "all of them; goes with no filter"),
  number("--max <n>", "the oldest n of them at most"),
  new Option("--dry-run", "only counts"),
];

/** Adds the commands of dead letters. */
export function addFailed(program: Command, context: Context): void {
  const failed = program.command("failed").description(
    "dead letters: list, groups, show, redrive, edit, remove",
  );
  addCommand<Filter & { limit: number }>(
    failed,
    context,
    "list",
    "lists dead letters, the latest first",
    [...filterOptions(), limitOption()],
    (_, { limit, ...filter }) =>
      context.list("/failed-messages", "messages", COLUMNS, fieldsOf(context, filter), limit),
  );
  addCommand<Filter & { limit: number }>(
    failed,
    context,
    "groups",
    "counts the latest 10,000 by type, reason and error, the largest groups first",
    [...filterOptions(), number("--limit <n>", "largest number of groups, up to 200").default(50)],
    (_, { limit, ...filter }) => groups(context, fieldsOf(context, filter), limit),
  );
  addCommand(failed, context, "show <id>", "shows one with its payload and every error", [], async (
    [id = ""],
  ) =>
    context.sayEntry(
      (await context.call("GET", pathTo("failed-messages", id))).body,
    ));
  addCommand<Change>(
    failed,
    context,
    "redrive [ids...]",
    "puts dead letters back into their queues, by ids, by filter or all",
    [
      ...changeOptions(),
      number("--per-second <n>", "spreads them: n become due per second"),
      text("--to-queue <queue>", "into this queue instead"),
      text("--payload <json>", "with this payload, for one id; see edit"),
      fromStep(),
    ],
    (ids, options) => {
      if (options.payload === undefined) {
        return change(context, "redrive", "redriven", ids, options);
      }
      refuseOthers(options);
      return edit(context, ids, "--payload", options.payload, options);
    },
  );
  addCommand<{ toQueue?: string; fromStep?: string }>(
    failed,
    context,
    "edit <id> <payload>",
    "redrives one with another payload, as JSON, that is checked first",
    [text("--to-queue <queue>", "into this queue instead"), fromStep()],
    ([id = "", payload = ""], options) => edit(context, [id], "payload", payload, options),
  );
  addCommand<Change>(
    failed,
    context,
    "remove [ids...]",
    "deletes dead letters for good, by ids, by filter or all",
    changeOptions(),
    (ids, options) => change(context, "remove", "removed", ids, options),
  );
}

async function groups(
  context: Context,
  filter: Record<string, string>,
  limit: number,
): Promise<void> {
  const search = new URLSearchParams({ ...filter, limit: String(limit) });
  const { body } = await context.call("GET", `/failed-messages/groups?${search}`);
  const more = [
    ...(Number(body.leftOut) > 0 ? [`${body.leftOut} smaller groups are left out.`] : []),
    ...(body.next === null ? [] : [`They are those of the latest ${body.scanned} dead letters.`]),
  ];
  context.sayTable(body.groups as Record<string, unknown>[], GROUP_COLUMNS, more.join(" "));
}

function fromStep() {
  return text("--from-step <step>", "makes steps again from this one on, or all for start");
}

function change(
  context: Context,
  verb: string,
  participle: string,
  ids: readonly string[],
  { all, max, perSecond, toQueue, fromStep, dryRun = false, ...filter }: Change,
): Promise<void> {
  const body = {
    ...fieldsOf(context, filter),
    ...(all && { all }),
    ...(max !== undefined && { maxMessages: max }),
    ...(perSecond !== undefined && { perSecond }),
    ...(toQueue !== undefined && { toQueue }),
    ...(fromStep !== undefined && { from: fromStep }),
  };
  const path = `/failed-messages/${verb}`;
  return changeMany(context, { path, body, ids, dryRun, participle, noun: "dead letter" });
}

/** The options of a redrive that go with another payload. */
const WITH_PAYLOAD = new Set(["payload", "toQueue", "fromStep", "dryRun", "json", "wide"]);

/** @throws UsageError if there is an option that has no effect beside another payload */
function refuseOthers(options: Change): void {
  if (Object.keys(options).every((name) => WITH_PAYLOAD.has(name))) return;
  throw new UsageError(
    "--payload: goes with one id; of the other options only --to-queue, --from-step and --dry-run",
  );
}

async function edit(
  context: Context,
  ids: readonly string[],
  name: string,
  payload: string,
  { toQueue, fromStep, dryRun }: { toQueue?: string; fromStep?: string; dryRun?: boolean },
): Promise<void> {
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0) throw new UsageError("--payload: goes with one id");
  const { body } = await context.call(
    "POST",
    `${pathTo("failed-messages", id)}/redrive`,
    {
      payload: parseJson(payload, name),
      ...(toQueue !== undefined && { toQueue }),
      ...(fromStep !== undefined && { from: fromStep }),
      ...(dryRun && { dryRun }),
    },
  );
  context.say(body, dryRun ? `${body.matched} would be redriven` : `${body.done} redriven`);
}

function fieldsOf(context: Context, filter: Filter): Record<string, string> {
  const { reason, from, until } = filter;
  const to = filter.to ?? until;
  return {
    ...originFields(context, filter),
    ...(reason !== undefined && { reason }),
    ...(from !== undefined && { failedFrom: past(context, from, "from") }),
    ...(to !== undefined && { failedUntil: past(context, to, "to") }),
  };
}
