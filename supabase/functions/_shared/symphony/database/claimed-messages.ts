/**
 * Turns rows that `messenger_claim` returns into envelopes. A user's own SQL may write odd values into a
 * row; the envelope never holds them, and one odd row never stops a claim.
 */

import { DEAD_REASONS } from "../message/dead-reason.ts";
import { onFirstUse } from "../runtime/first-use.ts";
import { isOptions } from "../runtime/option-names.ts";
import { MAX_DEPTH } from "../runtime/json.ts";
import { z } from "zod";
import type { Envelope, Stamps } from "../message/envelope.ts";

/**
 * A message as `messenger_claim` returns it. Rows are arrays and the rare values stand apart, because
 * parsing a claim is a fifth of the worker's CPU: this spares 1 µs a message.
 */
export type MessageRow = [
  id: string,
  type: string,
  payload: unknown,
  queue: string,
  priority: number,
  attempts: number,
  // In ms since 1970, which costs half the time of a date as text. Text for an infinite time.
  availableAt: number | string,
  createdAt: number | string,
  groupKey: string | null,
  rest: RestOfRow | null,
  // The stamps of a message that has no other rare value.
  bareStamps?: unknown,
];

/** Values that few messages have. */
type RestOfRow = [
  expiresAt: string | null,
  expired: boolean,
  retryCount: number,
  stamps: unknown,
  alone: boolean,
  snoozes: number,
  interruptions: number,
];

const NO_STAMPS: Stamps = Object.freeze({});
const NOTHING_MORE: RestOfRow = [null, false, 0, null, false, 0, 0];

/** The first and the last moment that a Date can hold. */
const FURTHEST_MS = 8.64e15;
/** The largest integer of a column, less one for the next attempt. */
const MOST = 2 ** 31 - 2;

/** Furthest due time from now, in ms, that is told apart: the time series adds such times up. */
const FURTHEST_DUE_MS = 2 ** 30;

/**
 * Makes the envelope of a row.
 * @param bytes approximate size of the message
 * @param clock the moment of the claim, in ms: on the database's clock since 1970, and on that of performance.now()
 */
export function toEnvelope(
  row: MessageRow,
  leaseToken: string,
  bytes: number,
  clock: { readonly now: number; readonly localMs: number },
): Envelope {
  const [id, type, payload, queue, priority, attempts, availableAt, createdAt, groupKey, rest] =
    row;
  const [expiresAt, expired, retryCount, stamps, alone, snoozes, interruptions] = rest ??
    NOTHING_MORE;
  const due = toDate(availableAt);
  return {
    id,
    type,
    payload,
    queue,
    priority,
    availableAt: due,
    createdAt: createdAt === availableAt ? due : toDate(createdAt),
    expiresAt: expiresAt === null ? null : toDate(expiresAt),
    expired,
    retryCount: Math.min(Math.max(0, retryCount), MOST),
    attempts: Math.max(1, attempts),
    groupKey,
    stamps: toStamps(row.length > 10 ? row[10] : stamps),
    quarantined: alone,
    snoozes,
    interruptions,
    leaseToken,
    dueAtMs: typeof availableAt === "number"
      ? clock.localMs + bounded(Math.round(availableAt - clock.now))
      : 0,
    bytes,
  };
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, -FURTHEST_DUE_MS), FURTHEST_DUE_MS);
}

/**
 * The Date of a timestamptz. An infinite time, or one from BC, becomes the nearest moment that a Date holds.
 * @param moment ms since 1970, or Postgres's text of it in JSON
 */
export function toDate(moment: number | string): Date {
  const ms = typeof moment === "number" ? moment : Date.parse(moment);
  if (!Number.isNaN(ms)) return new Date(Math.min(Math.max(ms, -FURTHEST_MS), FURTHEST_MS));
  return new Date(/^-|BC$/i.test(String(moment)) ? -FURTHEST_MS : FURTHEST_MS);
}

type Dispatched = NonNullable<NonNullable<Stamps["durable"]>["dispatched"]>;

function isDispatched(value: unknown): value is Dispatched {
  const isIds = (ids: unknown) => Array.isArray(ids) && ids.every((id) => typeof id === "string");
  return isOptions(value) &&
    Object.values(value).every((types) => isOptions(types) && Object.values(types).every(isIds));
}

/** Checks of the stamps that the bus itself reads. A stamp of another shape is left out. */
const checksOfStamps = onFirstUse(() =>
  new Map<string, z.ZodType>(Object.entries({
    handledBy: z.array(z.unknown()).transform((names) =>
      names.filter((name) => typeof name === "string")
    ),
    redriven: z.number(),
    redrivenFrom: z.number(),
    schedule: z.object({
      id: z.string(),
      name: z.string().nullable().default(null),
      occurrence: z.string(),
      run: z.number(),
    }),
    user: z.object({ id: z.string(), isAnonymous: z.boolean().default(false) }),
    durable: z.object({
      version: z.union([z.string(), z.number()]).nullable().default(null),
      // A record of zod leaves out the key __proto__, which handlers and types may have for a name.
      dispatched: z.custom<Dispatched>(isDispatched).optional().catch(undefined),
    }),
    ended: z.enum(["handled", ...DEAD_REASONS]),
    unknownType: z.object({ times: z.number(), attempt: z.number() }),
  }))
);

/** SQL can nest deeper than JSON.stringify's stack can take, and one such value would fail the whole settle call. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  const parts: Record<string, unknown> = value as Record<string, unknown>;
  // Without a list of the parts, which would double what the stamp of a batch's member costs.
  for (const name in parts) if (isDeeper(parts[name], levels - 1)) return true;
  return false;
}

/**
 * Reads stored stamps. The result is an object, whatever is stored; middleware may have added any values.
 * @param value the stored value, parsed from JSON for this call
 */
export function toStamps(value: unknown): Stamps {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return NO_STAMPS;
  const stamps: Record<string, unknown> = value as Record<string, unknown>;
  const checks = checksOfStamps();
  for (const name of Object.keys(stamps)) {
    const stamp = stamps[name];
    if (isDeeper(stamp, MAX_DEPTH)) {
      delete stamps[name];
      continue;
    }
    const schema = checks.get(name);
    if (!schema) continue;
    const { success, data } = schema.safeParse(stamp);
    if (success) stamps[name] = data;
    else delete stamps[name];
  }
  return stamps;
}
