/** Redrives dead letters from code, as messenger_redrive does in SQL, and checks an edited payload first. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import { NotFoundError } from "../message/errors.ts";
import { checkNames } from "../runtime/option-names.ts";
import { redriveDeadLetters, showDeadLetter } from "../database/dead-letters.ts";
import { checkFilter, checkValues, type OptionKind } from "../database/filters.ts";
import type { StepsLimits, StepsResult } from "../database/steps.ts";

/** Which dead letters to redrive, and how. Names and meanings are those of the SQL function's arguments. */
export interface RedriveOptions extends StepsLimits {
  /** All dead letters. Give either `all` or a filter. */
  readonly all?: boolean;
  readonly ids?: readonly string[];
  readonly type?: string;
  readonly queue?: string;
  readonly reason?: string;
  /** Part of the last error's text. */
  readonly error?: string;
  readonly failedFrom?: Date;
  readonly failedUntil?: Date;
  readonly groupKey?: string;
  /** Id of the user who dispatched them. */
  readonly user?: string;
  readonly createdFrom?: Date;
  readonly createdUntil?: Date;
  readonly maxMessages?: number;
  /** Number of messages that come due each second; default: all at once. */
  readonly perSecond?: number;
  /** Target queue; default: the queue of the dead letter. */
  readonly toQueue?: string;
  /** New payload of the one message that `ids` names. If the message has durable steps, it needs `from`. */
  readonly payload?: unknown;
  /**
   * Name of the durable step from which on the steps are made again, or `start` for all; by default the message
   * continues behind its last good step.
   */
  readonly from?: string;
  /** Only counts the dead letters, and changes nothing. */
  readonly dryRun?: boolean;
  /** `next` of an earlier, unfinished redrive with the same options. */
  readonly after?: unknown;
}

/** The result of a redrive. */
export type RedriveResult = StepsResult;

const OPTIONS = Object.keys(
  {
    all: true,
    ids: true,
    type: true,
    queue: true,
    reason: true,
    error: true,
    failedFrom: true,
    failedUntil: true,
    groupKey: true,
    user: true,
    createdFrom: true,
    createdUntil: true,
    maxMessages: true,
    perSecond: true,
    toQueue: true,
    payload: true,
    from: true,
    dryRun: true,
    after: true,
    budgetMs: true,
    signal: true,
  } satisfies Record<keyof RedriveOptions, true>,
);
const FILTER: Readonly<Record<string, OptionKind>> = {
  ids: "ids",
  type: "text",
  queue: "text",
  reason: "text",
  error: "text",
  failedFrom: "moment",
  failedUntil: "moment",
  groupKey: "text",
  user: "text",
  createdFrom: "moment",
  createdUntil: "moment",
};
const KINDS: Readonly<Record<string, OptionKind>> = {
  ...FILTER,
  all: "boolean",
  maxMessages: "number",
  perSecond: "number",
  toQueue: "text",
  from: "text",
  dryRun: "boolean",
};

/**
 * Puts all dead letters that match the filter back into their queues, with fresh retries and their
 * history. It works in steps of up to 10,000 that each commit, until the end or until `budgetMs` is over.
 * @throws InvalidPayloadError or UnknownMessageTypeError if an edited payload does not fit; the dead
 * letter then stays unchanged
 * @throws RangeError that names the wrong option; NotFoundError if there is no such dead letter
 * @throws TransportError if the database call failed
 */
export async function redrive(
  supabase: SupabaseClient,
  bus: MessageBus,
  options: RedriveOptions,
): Promise<RedriveResult> {
  checkNames(options, OPTIONS);
  checkValues(options, KINDS);
  const { all, ids, type, queue, reason, error, failedFrom, failedUntil, maxMessages } = options;
  const { groupKey, user, createdFrom, createdUntil } = options;
  const { perSecond, toQueue, payload, from, dryRun, after } = options;
  const edited = payload === undefined ? {} : { payload: await checked(supabase, bus, options) };
  checkFilter(options, Object.keys(FILTER));
  if (failedFrom && failedUntil && failedUntil <= failedFrom) {
    throw new RangeError("failedUntil: has to come after failedFrom");
  }
  if (createdFrom && createdUntil && createdUntil <= createdFrom) {
    throw new RangeError("createdUntil: has to come after createdFrom");
  }
  return await redriveDeadLetters(supabase, {
    ...{ all, ids, type, queue, reason, error, failedFrom, failedUntil, maxMessages },
    ...{ groupKey, user, createdFrom, createdUntil, perSecond, toQueue, from, dryRun, after },
    ...edited,
  }, options);
}

async function checked(
  supabase: SupabaseClient,
  bus: MessageBus,
  { ids, payload }: RedriveOptions,
): Promise<unknown> {
  const [id, ...others] = ids ?? [];
  if (id === undefined || others.length > 0) {
    throw new RangeError("payload: an edited payload goes with the id of one message");
  }
  const deadLetter = await showDeadLetter(supabase, id);
  if (!deadLetter) throw new NotFoundError(`ids: there is no dead letter ${id}`);
  return (await bus.prepare({ type: deadLetter.type, payload })).payload;
}
