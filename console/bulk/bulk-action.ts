/** A change of many messages: what it is, and how far it has come. */

/** Answer of the API to one request of a change. */
export interface BulkAnswer {
  readonly matched: number;
  readonly done: number;
  /** Left out by changes that meet no running messages. */
  readonly running?: number;
  /** Left out by changes that do not look for ids that are gone. */
  readonly missing?: readonly string[];
  /** Where the next request continues; null when everything is done. */
  readonly next: string | null;
}

/** The change that is made to many messages. */
export type BulkVerb =
  | ("redrive" | "remove" | "cancel" | "run" | "resend")
  | ("cancelOutbox" | "runOutbox" | "resendOutbox");

/** A change of many messages: the same request, again and again with the cursor of the one before. */
export interface BulkAction {
  readonly verb: BulkVerb;
  /** Which messages, in words: `dead letters with type EmailMessage`. */
  readonly title: string;
  /** Filter and options as the API takes them; without ids. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The selected messages; null if the filter says which. */
  readonly ids: readonly string[] | null;
}

/** How many messages a change will meet. */
export interface BulkCount {
  readonly count: number;
  /** There may be more: the count was given up. */
  readonly capped: boolean;
}

/** How far a change has come. */
export interface BulkProgress {
  readonly action: BulkAction;
  /** The operator who began it, as the API knows them. */
  readonly operator: string;
  readonly total: BulkCount;
  readonly done: number;
  /** Running messages that were told to stop. */
  readonly running: number;
  /** Ids that do not exist any more. */
  readonly missing: number;
  /** Where the next request continues. */
  readonly cursor: string | null;
  /** How many of `action.ids` are over. */
  readonly idsOver: number;
  /**
   * `working`: requests are made; `stopping`: the last one is under way; `interrupted`: the page was left while it
   * worked; `stopped`: the operator stopped it; `failed`: a request failed for good.
   */
  readonly state: "working" | "stopping" | "interrupted" | "stopped" | "failed" | "ended";
  /** A step was under way when the page was left: it was done, but not counted here. */
  readonly isShort: boolean;
  /** Why it failed. */
  readonly problem: string | null;
}

/** Messages of a selection that one request changes. The API takes up to 1,000 ids. */
export const IDS_IN_REQUEST = 250;
/** Time of a request from which it begins no further step, in ms: the bar moves after each answer. */
const BUDGET_MS = 500;

/** Paths of the API. */
const PATHS: Readonly<Record<BulkVerb, string>> = {
  redrive: "/failed-messages/redrive",
  remove: "/failed-messages/remove",
  cancel: "/messages/cancel",
  run: "/messages/run",
  resend: "/webhook-deliveries/resend",
  cancelOutbox: "/outbox/cancel",
  runOutbox: "/outbox/run",
  resendOutbox: "/outbox/resend",
};
/** The field of a filter that ends it; the outbox goes by position, and has none. */
const UNTIL: Readonly<Partial<Record<BulkVerb, string>>> = {
  redrive: "failedUntil",
  remove: "failedUntil",
  cancel: "createdUntil",
  run: "createdUntil",
  resend: "sentUntil",
};

/**
 * Bounds a filter by the time at which the operator asked: messages that come later, or that fail again after their
 * redrive, were not counted and are left alone. A filter that ends earlier keeps its own end.
 * @param now the database's time, ISO: the clock of the operator's machine may be wrong by hours
 */
export function boundedBy(action: BulkAction, now: string): BulkAction {
  const until = UNTIL[action.verb];
  if (action.ids || until === undefined) return action;
  const { all: _, ...body } = action.body;
  const own = body[until];
  const isEarlier = typeof own === "string" && Date.parse(own) < Date.parse(now);
  return { ...action, body: { ...body, [until]: isEarlier ? own : now } };
}

/** A change that has just begun. */
export function beginning(action: BulkAction, total: BulkCount, operator: string): BulkProgress {
  return {
    ...{ action, total, operator, done: 0, running: 0, missing: 0, cursor: null, idsOver: 0 },
    ...{ state: "working", isShort: false, problem: null },
  };
}

/** Whether a text that was stored is a change that this page knows. */
export function isBulkVerb(text: unknown): text is BulkVerb {
  return typeof text === "string" && Object.hasOwn(PATHS, text);
}

/** Whether a change is of use although it meets no message: it also ends the pause of a transport that was away. */
export function mayMeetNone({ verb }: BulkAction): boolean {
  return verb === "runOutbox";
}

/** The path of a change in the API. */
export function pathOf({ verb }: BulkAction): string {
  return PATHS[verb];
}

/** The body of the next request. */
export function nextBody({ action, cursor, idsOver }: BulkProgress): Record<string, unknown> {
  return {
    ...action.body,
    ...(action.ids && { ids: action.ids.slice(idsOver, idsOver + IDS_IN_REQUEST) }),
    ...(cursor !== null && { cursor }),
    budgetMs: BUDGET_MS,
  };
}

/** The progress after an answer. */
export function afterAnswer(before: BulkProgress, answer: BulkAnswer): BulkProgress {
  const { action } = before;
  const idsOver = action.ids && answer.next === null
    ? Math.min(action.ids.length, before.idsOver + IDS_IN_REQUEST)
    : before.idsOver;
  const isOver = answer.next === null && idsOver >= (action.ids?.length ?? 0);
  return {
    ...before,
    ...{ idsOver, cursor: answer.next, problem: null },
    done: before.done + answer.done,
    running: before.running + (answer.running ?? 0),
    missing: before.missing + (answer.missing?.length ?? 0),
    state: isOver ? "ended" : before.state === "stopping" ? "stopped" : before.state,
  };
}

/** Share of the work that is over, from 0 to 1; null if that is not known. */
export function shareOf({ state, done, running, missing, total }: BulkProgress): number | null {
  if (state === "ended") return 1;
  if (total.capped) return null;
  return total.count === 0 ? 0 : Math.min(1, (done + running + missing) / total.count);
}

/** Whether requests are made. */
export function isAtWork({ state }: BulkProgress): boolean {
  return state === "working" || state === "stopping";
}
