/** `schedules upcoming` and `schedules preview`: when schedules run. */

import type { Command } from "commander";
import { addCommand, type Context, number, text } from "../context.ts";
import { UsageError } from "../../errors.ts";
import { parseMoment } from "../times.ts";
import { fieldsOf, pathOf, type Timing, timing, withoutNull } from "./schedule-fields.ts";

const COLUMNS = ["at", "id", "name", "type", "timezone"];

/** A schedule with its planned times, as the API lists it. */
interface Upcoming {
  readonly id: string;
  readonly name: string | null;
  readonly message: { readonly type: string };
  readonly timezone: string;
  readonly occurrences: readonly string[];
  readonly count: number;
  readonly problem: string | null;
}

/** Adds the commands. */
export function addForecasts(schedules: Command, context: Context): void {
  addCommand<{ from?: string; to?: string; n: number }>(
    schedules,
    context,
    "upcoming",
    "lists the planned times of the next schedules, for a day",
    [
      text("--from <time>", "from this time on; default: now"),
      text("--to <time>", "until this time; default: a day later"),
      number("--n <n>", "how many times of each schedule to show").default(10),
    ],
    (_, options) => listUpcoming(context, options),
  );
  addCommand<Timing & { n?: number }>(
    schedules,
    context,
    "preview [schedule]",
    "shows the next planned times of one, by id or name, or of one that is not made",
    [number("--n <n>", "how many times to show"), ...timing()],
    (named, options) => preview(context, named[0], options),
  );
}

async function listUpcoming(
  context: Context,
  { from, to, n }: { from?: string; to?: string; n: number },
): Promise<void> {
  const moment = (text: string, option: string) =>
    parseMoment(text, option, context.io.now(), "in").toISOString();
  const search = new URLSearchParams({
    ...{ n: String(n), limit: "200" },
    ...(from !== undefined && { from: moment(from, "from") }),
    ...(to !== undefined && { until: moment(to, "to") }),
  });
  const { body } = await context.call("GET", `/schedules/upcoming?${search}`);
  const listed = body.schedules as Upcoming[];
  const rows = listed.flatMap(({ id, name, message, timezone, occurrences }) =>
    occurrences.map((at) => ({ at, id, name, type: message.type, timezone }))
  ).sort((one, other) => one.at < other.at ? -1 : 1);
  const isMore = body.next !== null ||
    listed.some(({ count, occurrences }) => count > occurrences.length);
  for (const { id, problem } of listed) {
    if (problem !== null) context.io.note(`schedule ${id} cannot be read: ${problem}\n`);
  }
  context.sayTable(rows, COLUMNS, isMore ? "There are more." : undefined);
}

async function preview(
  context: Context,
  named: string | undefined,
  { n = 5, ...options }: Timing & { n?: number },
): Promise<void> {
  const { message, schedule } = fieldsOf(context, options);
  const isNew = schedule.config !== undefined;
  if (isNew === (named !== undefined)) {
    throw new UsageError("give a schedule's id or name, or one of --cron, --every, --at");
  }
  if (!isNew && Object.keys({ ...message, ...schedule }).length > 0) {
    throw new UsageError("a schedule that is there goes with --n only; it has its own settings");
  }
  const { body } = named === undefined
    ? await context.call("POST", "/schedules/preview", { schedule: withoutNull(schedule), n })
    : await context.call("GET", `${await pathOf(context, named)}/preview?n=${n}`);
  context.say(body, (body.occurrences as string[]).join("\n"));
}
