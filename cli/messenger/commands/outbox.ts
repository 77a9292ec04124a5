/** `outbox`: the transports beside home, and the messages that wait for them. */

import { type Command, Option } from "commander";
import { addCommand, type Context, limitOption, text } from "../context.ts";
import { changeMany } from "../many.ts";
import type { Entry } from "../table.ts";
import { parseMoment } from "../times.ts";

const TRANSPORT_COLUMNS = ["name", "waiting", "due", "refused", "failures", "failure", "retryAt"];
const COLUMNS = ["id", "transport", "type", "queue", "availableAt", "attempts", "refusal"];

interface Filter {
  readonly transport?: string;
  readonly type?: string;
  readonly queue?: string;
}

const filterOptions = () => [
  text("--transport <name>", "of this transport"),
  text("--type <type>", "of this type"),
  text("--queue <name>", "of this queue"),
];
const dryRunOption = () => new Option("--dry-run", "only counts");

/** Adds the commands of the outbox. */
export function addOutbox(program: Command, context: Context): void {
  const outbox = program.command("outbox")
    .description("other transports: transports, list, cancel, run, resend");
  addCommand(
    outbox,
    context,
    "transports",
    "shows how each transport stands",
    [],
    async () => {
      const { body } = await context.call("GET", "/transports");
      context.sayTable(body.transports as Entry[], TRANSPORT_COLUMNS);
    },
  );
  addCommand<Filter & { sent?: boolean; limit: number }>(
    outbox,
    context,
    "list",
    "lists messages that wait for their transport",
    [...filterOptions(), new Option("--sent", "those that were sent and are kept"), limitOption()],
    (_, { sent, limit, ...filter }) =>
      context.list("/outbox", "messages", COLUMNS, {
        ...filter,
        ...(sent && { state: "sent" }),
      }, limit),
  );
  addChanges(outbox, context);
}

/** Largest number of ids that are looked for in the outbox. */
const MOST_SOUGHT = 1000;

/** Returns those of the ids that the outbox has, or that a broker got from it. */
export async function findInOutbox(context: Context, ids: readonly string[]): Promise<string[]> {
  const sought = ids.slice(0, MOST_SOUGHT);
  const request = { ids: sought, dryRun: true };
  const { missing } = (await context.call("POST", "/outbox/cancel", request)).body;
  return sought.filter((id) => !(missing as string[]).includes(id));
}

function addChanges(outbox: Command, context: Context): void {
  const words = { noun: "message", isCounted: false };
  addCommand<Filter & { all?: boolean; dryRun?: boolean }>(
    outbox,
    context,
    "cancel [ids...]",
    "makes dead letters of messages that wait or that a broker has, by ids or by a filter",
    [...filterOptions(), new Option("--all", "all of them"), dryRunOption()],
    (ids, { dryRun = false, ...body }) =>
      changeMany(context, {
        ...{ ...words, path: "/outbox/cancel", body, ids, dryRun, participle: "cancelled" },
      }),
  );
  addCommand<{ dryRun?: boolean }>(
    outbox,
    context,
    "run <transport>",
    "publishes now what waits for a transport, also what it has refused",
    [dryRunOption()],
    ([transport = ""], { dryRun = false }) =>
      changeMany(context, {
        ...{ ...words, path: "/outbox/run", body: { transport }, ids: [], dryRun },
        ...{ participle: "made due", isOfOne: true, mayBeNone: true },
      }),
  );
  addCommand<{ since: string; dryRun?: boolean }>(
    outbox,
    context,
    "resend <transport>",
    "publishes again what a transport has confirmed, because it has lost its messages",
    [
      text("--since <time>", "confirmed at this time or later: 10m, an ISO time")
        .makeOptionMandatory(),
      dryRunOption(),
    ],
    ([transport = ""], { since, dryRun = false }) => {
      const moment = parseMoment(since, "since", context.io.now(), "ago").toISOString();
      return changeMany(context, {
        ...{
          ...words,
          path: "/outbox/resend",
          body: { transport, since: moment },
          ids: [],
          dryRun,
        },
        ...{ participle: "sent again", isOfOne: true, mayBeNone: true },
      });
    },
  );
}
