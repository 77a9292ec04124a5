/** Changes of many messages: request after request to the end, with a progress bar on a terminal. */

import type { Context } from "./context.ts";
import { ApiError, EXIT, UsageError } from "../errors.ts";

/** A change of many messages: its request, and the words for it. */
export interface Change {
  readonly path: string;
  /** Filter and options as the API takes them, without ids. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly ids: readonly string[];
  readonly dryRun: boolean;
  /** `redriven`, `cancelled`, ... */
  readonly participle: string;
  /** The noun for one message, such as "dead letter". */
  readonly noun: string;
  /** Whether the path names what is changed, and no filter is needed. */
  readonly isOfOne?: boolean;
  /** Whether the API counts beforehand how many it will be; true if left out. */
  readonly isCounted?: boolean;
  /** Whether it is well done where there was nothing to do. */
  readonly mayBeNone?: boolean;
  /** Returns those of the missing ids that the outbox has, and how they are changed there. */
  readonly findElsewhere?: (missing: readonly string[]) => Promise<Elsewhere>;
}

/** Ids that are in the outbox, and the command that changes them there. */
export interface Elsewhere {
  readonly ids: readonly string[];
  readonly command: string;
}

interface Sum {
  matched: number;
  done: number;
  running: number;
  missing: string[];
  /** Whether a dry run stopped counting. */
  capped?: boolean;
  /** Ids that another project has, and the transport that leads there. */
  elsewhere?: { readonly id: string; readonly transport: string }[];
  /** Those of the missing ids that are in the outbox. */
  inOutbox?: readonly string[];
}

const IDS_IN_REQUEST = 1000;
const TRIES = 5;
const PAUSE_MS = 1000;
const BAR = 30;

/**
 * Does it, says how many it met, and names ids that are not there.
 * @throws UsageError where neither ids, nor a filter, nor `--all` is given
 * @throws ApiError where the API refuses, or does not answer five times in a row
 */
export async function changeMany(context: Context, change: Change): Promise<void> {
  const { body, dryRun, participle, noun } = change;
  // The second of two requests would call an id missing that the first has changed.
  const ids = [...new Set(change.ids)];
  const filters = Object.keys(body).filter((name) => !OPTIONS.has(name));
  if (ids.length === 0 && filters.length === 0 && !change.isOfOne) {
    throw new UsageError("give ids, a filter, or --all for all of them");
  }
  if (body.all !== undefined && ids.length + filters.length > 1) {
    throw new UsageError("--all: goes with no ids and no filter");
  }
  const wrong = ids.find((id) => !/^\d{1,18}$/.test(id));
  if (wrong !== undefined) {
    throw new UsageError(
      `${JSON.stringify(wrong)}: is no id; an id is a number of up to 18 digits`,
    );
  }

  const sum: Sum = { matched: 0, done: 0, running: 0, missing: [] };
  let isWhole = true;
  try {
    const total = await totalOf(context, change);
    for (const part of parts(ids)) {
      isWhole = isWhole && await run(context, { ...change, ids: part }, sum, total);
    }
  } finally {
    if (drawsBar(context, change)) context.io.note("\r\u001b[K");
  }
  const met = dryRun ? sum.matched : sum.done + sum.running;
  const running = sum.running > 0
    ? `, ${sum.running.toLocaleString("en")} of them told to stop`
    : "";
  const more = sum.capped ? " or more" : "";
  const elsewhere = sum.missing.length > 0 ? await change.findElsewhere?.(sum.missing) : undefined;
  if (elsewhere) sum.inOutbox = elsewhere.ids;
  context.say(
    sum,
    `${met.toLocaleString("en")}${more} ${dryRun ? "would be " : ""}${participle}${running}`,
  );
  if (!context.json) {
    tellMissing(context, noun, sum.missing, elsewhere);
    for (const { id, transport } of sum.elsewhere ?? []) {
      context.io.note(
        `${id}: is in the project behind ${transport}; cancel it there, by its id there\n`,
      );
    }
  }
  if (!isWhole) {
    context.io.note("interrupted before its end; the same command does the rest\n");
    context.exitCode = EXIT.interrupted;
  } else if (met === 0 && !change.mayBeNone || sum.missing.length > 0) {
    context.exitCode = EXIT.nothing;
  }
}

function tellMissing(
  { io }: Context,
  noun: string,
  missing: readonly string[],
  { ids, command }: Elsewhere = { ids: [], command: "" },
): void {
  const unknown = missing.filter((id) => !ids.includes(id));
  if (unknown.length > 0) io.note(`no such ${noun}: ${unknown.join(", ")}\n`);
  if (ids.length > 0) {
    io.note(`in the outbox of another transport: ${ids.join(", ")}; ${command}\n`);
  }
}

const OPTIONS = new Set(["maxMessages", "perSecond", "toQueue"]);

function parts(ids: readonly string[]): (readonly string[])[] {
  if (ids.length === 0) return [[]];
  const number = Math.ceil(ids.length / IDS_IN_REQUEST);
  return Array.from(
    { length: number },
    (_, index) => ids.slice(index * IDS_IN_REQUEST, (index + 1) * IDS_IN_REQUEST),
  );
}

function drawsBar(context: Context, { dryRun }: Change): boolean {
  return context.io.showsProgress === true && !context.json && !dryRun;
}

/** How many it will be, for the bar; null where that is not known. */
async function totalOf(context: Context, change: Change): Promise<number | null> {
  if (!drawsBar(context, change) || change.isCounted === false) return null;
  if (change.ids.length > 0) return change.ids.length;
  context.io.note("counting …");
  const sum: Sum = { matched: 0, done: 0, running: 0, missing: [] };
  await run(context, { ...change, dryRun: true }, sum, null);
  return sum.matched;
}

/** Takes requests to the end, and returns whether it got there: Ctrl-C ends it between two requests. */
async function run(
  context: Context,
  change: Change,
  sum: Sum,
  total: number | null,
): Promise<boolean> {
  const { path, body, ids, dryRun, participle } = change;
  let cursor: unknown = undefined;
  do {
    if (context.io.signal?.aborted) return false;
    const answer = await patiently(
      context,
      path,
      {
        ...body,
        ...(ids.length > 0 && { ids }),
        ...(dryRun && { dryRun }),
        ...(cursor !== undefined && { cursor }),
      },
      sum,
      participle,
    );
    sum.matched += Number(answer.matched);
    sum.done += Number(answer.done);
    sum.running += Number(answer.running ?? 0);
    if (answer.capped === true) sum.capped = true;
    sum.missing.push(...(answer.missing as string[] | undefined) ?? []);
    const elsewhere = answer.elsewhere as Sum["elsewhere"];
    if (elsewhere && elsewhere.length > 0) (sum.elsewhere ??= []).push(...elsewhere);
    if (drawsBar(context, change)) {
      context.io.note(`\r\u001b[K${bar(sum.done + sum.running, total, participle)}`);
    }
    cursor = answer.next;
  } while (cursor !== null);
  return true;
}

/**
 * Repeats a request that the database did not answer. A repetition does no harm: the work of a finished step
 * stays done, and the same cursor continues behind it.
 */
async function patiently(
  context: Context,
  path: string,
  body: object,
  sum: Sum,
  participle: string,
): Promise<Record<string, unknown>> {
  for (let tried = 1;; tried++) {
    try {
      return (await context.call("POST", path, body)).body;
    } catch (error) {
      const isPassing = error instanceof ApiError && error.exitCode === EXIT.connection &&
        error.status !== 500;
      if (!isPassing || tried === TRIES || sum.done === 0) {
        if (sum.done === 0 || !(error instanceof ApiError)) throw error;
        throw new ApiError(
          error.status,
          error.code,
          `${error.message}; ${sum.done} were ${participle} before` +
            (isPassing ? ", and the same command does the rest" : ""),
          {
            ...error.details,
            ...sum,
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function bar(done: number, total: number | null, participle: string): string {
  if (total === null) return `${done.toLocaleString("en")} ${participle}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(share * BAR);
  const [of, all] = [done.toLocaleString("en"), total.toLocaleString("en")];
  return `[${"#".repeat(full)}${"-".repeat(BAR - full)}] ${
    Math.floor(share * 100)
  } %  ${of} of ${all} ${participle}`;
}
