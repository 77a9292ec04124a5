/** Makes the message of a dispatch: checks its options and fills in its definition's values. */

import type { DispatchOptions } from "../message/dispatch-options.ts";
import { checkKey, checkMoment } from "../runtime/checks.ts";
import { debounceOf, parseDedupe } from "../message/dedupe.ts";
import { parseDuration } from "../runtime/duration.ts";
import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import { toJson, UnstorableError } from "../runtime/json.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { checkPriority, checkQueue } from "../message/names.ts";
import { parentQueue, queueOf } from "../message/lane.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { checkNames, isOptions } from "../runtime/option-names.ts";

const OPTIONS = Object.keys(
  {
    delay: true,
    availableAt: true,
    queue: true,
    lane: true,
    priority: true,
    ttl: true,
    idempotencyKey: true,
    idempotencyScope: true,
    dedupeKey: true,
    dedupe: true,
    groupKey: true,
    transport: true,
    stamps: true,
    onCancelled: true,
  } satisfies Record<keyof DispatchOptions, true>,
);

const FIELDS = Object.keys(
  {
    type: true,
    payload: true,
    queue: true,
    priority: true,
    delayMs: true,
    availableAt: true,
    ttlMs: true,
    idempotencyKey: true,
    idempotencyScope: true,
    dedupeKey: true,
    dedupe: true,
    groupKey: true,
    transport: true,
    stamps: true,
  } satisfies Record<keyof OutgoingMessage, true>,
);

const DEFAULTS = { queue: "default", priority: 0 };

/**
 * Copies options when a dispatch is called. A schema or middleware may take time, and the caller, who does not have to
 * wait for the dispatch, may change its objects meanwhile.
 * @throws RangeError that names an option which is unknown, or a stamp that cannot be stored
 */
export function ownOptions(options: DispatchOptions): DispatchOptions {
  checkNames(options, OPTIONS);
  const given = OPTIONS.map((name) => [name, options[name as keyof DispatchOptions]]);
  const own: DispatchOptions = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const { availableAt, dedupe, stamps, onCancelled } = own;
  return {
    ...own,
    ...(availableAt instanceof Date && { availableAt: new Date(availableAt) }),
    ...(isOptions(dedupe) && { dedupe: { ...dedupe } }),
    ...(stamps !== undefined && { stamps: toStamps(stamps) }),
    ...(isOptions(onCancelled) && { onCancelled: { ...onCancelled } }),
  };
}

/**
 * Makes the message that a dispatch sends.
 * @param payload JSON that the definition's schema accepts
 * @param options as {@link ownOptions} returns them
 * @param parsed the payload as the schema returned it
 * @throws RangeError that names an option which is wrong, or contradicts another
 */
export function outgoing(
  definition: MessageDefinition,
  payload: unknown,
  options: DispatchOptions,
  parsed: unknown = payload,
): OutgoingMessage {
  const { delay, ttl = definition.ttlMs, dedupeKey, dedupe, stamps, priority, ...others } = options;
  const { onCancelled: _, lane: __, ...passedOn } = others;
  if (dedupe !== undefined && dedupeKey === undefined) {
    throw new RangeError("dedupe: needs a dedupeKey");
  }
  const message = {
    ...passedOn,
    type: definition.type,
    payload,
    queue: queueOf(definition, parsed, options),
    priority: priority === undefined ? definition.priority : priority,
    ...(delay !== undefined && { delayMs: parseDuration(delay, "delay") }),
    ...(ttl !== undefined && { ttlMs: parseDuration(ttl, "ttl") }),
    ...(dedupeKey !== undefined && {
      dedupeKey,
      dedupe: parseDedupe(dedupe === undefined ? definition.dedupe : dedupe, "dedupe"),
    }),
    ...(stamps !== undefined && { stamps }),
  };
  checkValues(message, definition);
  if (definition.runsOn === "worker" && parentQueue(message.queue) !== definition.queue) {
    throw new RangeError(
      `queue: ${definition.type} runs on workers, which find it in ${definition.queue} (got ${message.queue}); leave the option out`,
    );
  }
  if (options.ttl === undefined) checkTtl(message, "delay");
  else checkTtl(message, "ttl");
  return message;
}

/**
 * Checks a message that dispatch middleware returned.
 * @throws TypeError if it is no object
 * @throws RangeError that names the wrong field
 */
export function checkAgain(message: unknown): OutgoingMessage {
  if (typeof message !== "object" || message === null) {
    throw new TypeError(
      `middleware: dispatch has to return the message; returned ${showValue(message)}`,
    );
  }
  checkNames(message, FIELDS, "middleware: ");
  // Later steps copy the message's own fields. Those of a getter or a prototype would be lost, the type too.
  const fields = FIELDS.map((name) => [name, readProperty(message, name)] as const);
  const checked = Object.fromEntries(
    fields.filter(([, value]) => value !== undefined),
  ) as unknown as OutgoingMessage;
  checkValues(checked);
  if (checked.delayMs !== undefined) parseDuration(checked.delayMs, "delay");
  if (checked.ttlMs !== undefined) parseDuration(checked.ttlMs, "ttl");
  checkTtl(checked, "ttl");
  const { stamps } = checked;
  return stamps === undefined ? checked : { ...checked, stamps: toStamps(stamps) };
}

/** @param known queue and priority that were checked before: a definition's, when it was made */
function checkValues(
  message: OutgoingMessage,
  known: { readonly queue: string; readonly priority: number } = DEFAULTS,
): void {
  const { delayMs, availableAt, idempotencyKey, idempotencyScope, dedupeKey, groupKey } = message;
  const { queue = DEFAULTS.queue, priority = DEFAULTS.priority } = message;
  if (queue !== known.queue) checkQueue(queue, "queue");
  if (priority !== known.priority) checkPriority(priority, "priority");
  if (delayMs !== undefined && availableAt !== undefined) {
    throw new RangeError("delay: give either delay or availableAt, not both");
  }
  if (debounceOf(message.dedupe) !== undefined) {
    const field = delayMs !== undefined ? "delay" : availableAt !== undefined ? "availableAt" : "";
    if (field) {
      throw new RangeError(
        `${field}: does not go with a debounce, which says when the message is due`,
      );
    }
  }
  if (availableAt !== undefined) checkMoment(availableAt, "availableAt");
  if (idempotencyKey !== undefined) checkKey(idempotencyKey, "idempotencyKey");
  if (idempotencyScope !== undefined && idempotencyScope !== "") {
    checkKey(idempotencyScope, "idempotencyScope");
    if (idempotencyKey === undefined) {
      throw new RangeError("idempotencyScope: needs an idempotencyKey");
    }
  }
  if (dedupeKey !== undefined) checkKey(dedupeKey, "dedupeKey");
  if (groupKey !== undefined) checkKey(groupKey, "groupKey");
  if (dedupeKey !== undefined && idempotencyKey !== undefined) {
    throw new RangeError("dedupeKey: give either dedupeKey or idempotencyKey, not both");
  }
}

/** Compares the ttl with a delay. With `availableAt` the database compares them, by its own clock. */
function checkTtl(message: OutgoingMessage, field: "delay" | "ttl"): void {
  const { ttlMs, dedupe } = message;
  const debounceMs = debounceOf(dedupe);
  const delayMs = message.delayMs ?? debounceMs ?? 0;
  if (ttlMs === undefined || ttlMs > delayMs) return;
  if (debounceMs !== undefined) {
    throw new RangeError(
      `ttl: has to be longer than the debounce of ${delayMs} ms (was ${ttlMs} ms)`,
    );
  }
  throw new RangeError(
    field === "ttl"
      ? `ttl: has to be longer than the delay of ${delayMs} ms (was ${ttlMs} ms)`
      : `delay: has to be shorter than the type's ttl of ${ttlMs} ms (was ${delayMs} ms)`,
  );
}

function toStamps(stamps: Stamps): Stamps {
  try {
    const json = toJson(stamps);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Stamps;
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw error;
    throw new RangeError(`${["stamps", ...error.path].join(".")}: ${error.message}`);
  }
  throw new RangeError(`stamps: have to be an object; got ${showValue(stamps)}`);
}
