/** Checks dispatches of callers without a secret key. They may do only what a message's definition allows. */

import type { CallerChoices } from "../message/access.ts";
import { checkKey } from "../runtime/checks.ts";
import { describeError } from "../message/describe-error.ts";
import { parseDuration } from "../runtime/duration.ts";
import type { Logger } from "../runtime/log.ts";
import { within } from "../runtime/within.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { checkPayload, DISPATCH_TIMEOUT_MS, toStorableJson } from "../message/payload.ts";
import type { Frontend } from "./caller.ts";
import { chosenOptions, type DispatchMessage } from "./dispatch-body.ts";
import { CATCH_UP_LIMIT } from "../scheduler/plan.ts";
import { invalidRequest, Problem } from "./problem.ts";

/**
 * Checks whether a caller may dispatch one message. The refusal is the same for a type that does not exist
 * and a type that is closed to the caller, so that the answer does not reveal which types exist.
 * @param message the message as the request holds it
 * @param caller who sends the request, with verified credentials
 * @param definition the definition of the message's type; undefined if the type is unknown
 * @param deps `path`: the place of the message in the request, for errors. `kept`: options that were chosen before,
 * and that the access rule sees beside the others
 * @returns the message to dispatch; its dedupe key belongs to the caller, and so does its group key unless the
 * definition shares groups
 * @throws Problem 403 if the caller may not, 400 if a time is further ahead than the definition allows
 * @throws RangeError if the group key or the dedupe key is not valid
 * @throws InvalidPayloadError if the definition has an access rule and the payload is not valid: a rule
 * sees valid payloads only
 */
export async function authorize(
  message: DispatchMessage,
  caller: Frontend,
  definition: MessageDefinition | undefined,
  deps: {
    readonly path: readonly (string | number)[];
    readonly log: Logger;
    readonly kept?: Pick<CallerChoices, "queue" | "priority" | "groupKey">;
  },
): Promise<DispatchMessage> {
  const { path, log, kept = {} } = deps;
  const closed = forbidden([...path, "type"], "you may not dispatch messages of this type");
  if (!definition || !opens(definition, caller)) throw closed;

  const refused = chosenOptions(message).find((option) => !definition.callerOptions.has(option));
  if (refused) throw forbidden([...path, refused], "you may not choose this");
  if (caller.kind === "publishable") {
    // All holders of the publishable key would share one set of idempotency and dedupe keys: one visitor's key could
    // suppress or replace another visitor's message. A schedule without a user would have no owner to delete it.
    for (const field of ["idempotencyKey", "dedupeKey", "schedule"] as const) {
      if (message[field] !== undefined) throw forbidden([...path, field], "needs a user");
    }
  } else if (message.schedule?.name !== undefined) {
    // A name identifies a schedule in the whole project, so a user could overwrite another's schedule.
    throw forbidden([...path, "schedule", "name"], "users may not name it");
  }
  checkTimes(message, definition.maxDelayMs, path);
  checkCatchUp(message, path);
  const { groupKey, dedupeKey } = message;
  const group = groupKey === undefined
    ? undefined
    : definition.sharedGroups
    ? sharedGroup(groupKey)
    : await ownKey(groupKey, caller, "groupKey");
  if (!await allows(definition, message, caller, { log, kept })) throw closed;
  return {
    ...message,
    ...(group !== undefined && { groupKey: group }),
    ...(dedupeKey !== undefined && { dedupeKey: await ownKey(dedupeKey, caller, "dedupeKey") }),
  };
}

/** Longest interval of a user's schedule, unless `maxDelay` is longer, in ms: 400 days. A cron expression comes once a year. */
const LONGEST_INTERVAL_MS = 400 * 86_400_000;

/** Refuses times that are too far ahead: until its time, a message holds up its group and takes up a row. */
function checkTimes(
  { delay, availableAt, schedule }: DispatchMessage,
  maxDelayMs: number,
  path: readonly (string | number)[],
): void {
  const latest = Date.now() + maxDelayMs;
  const at = schedule?.type === "once" ? schedule.config.at : undefined;
  const times: [boolean, string[]][] = [
    [delay !== undefined && parseDuration(delay, "delay") > maxDelayMs, ["delay"]],
    [availableAt !== undefined && availableAt.getTime() > latest, ["availableAt"]],
    [at !== undefined && at.getTime() > latest, ["schedule", "config", "at"]],
    [(schedule?.startAt?.getTime() ?? 0) > latest, ["schedule", "startAt"]],
    [
      schedule?.jitter !== undefined && parseDuration(schedule.jitter, "jitter") > maxDelayMs,
      ["schedule", "jitter"],
    ],
  ];
  const refuse = (place: string[], message: string) => {
    throw invalidRequest("invalid_request", [{ path: [...path, ...place], message }]);
  };
  const tooFar = times.find(([isTooFar]) => isTooFar);
  if (tooFar) {
    refuse(tooFar[1], `may lie at most ${maxDelayMs} ms ahead for messages of this type`);
  }
  const longest = Math.max(LONGEST_INTERVAL_MS, maxDelayMs);
  const interval = schedule?.type === "interval" ? schedule.config.interval : 0;
  if (parseDuration(interval, "schedule.config.interval") > longest) {
    refuse(
      ["schedule", "config", "interval"],
      `may be at most ${longest} ms for messages of this type`,
    );
  }
}

/** Refuses more missed runs at once than a schedule makes up by default: operators alone may raise that. */
function checkCatchUp({ schedule }: DispatchMessage, path: readonly (string | number)[]): void {
  const { catchUpLimit } = schedule ?? {};
  if (typeof catchUpLimit !== "number" || catchUpLimit <= CATCH_UP_LIMIT) return;
  throw invalidRequest("invalid_request", [{
    path: [...path, "schedule", "catchUpLimit"],
    message: `may be at most ${CATCH_UP_LIMIT} without a secret key; got ${catchUpLimit}`,
  }]);
}

const OWN_GROUP = /^(?:user|visitor):/;
const LONGEST_KEY = 255;

function sharedGroup(groupKey: string): string {
  // With these prefixes, a caller could name the private group of another user.
  if (!OWN_GROUP.test(checkKey(groupKey, "groupKey"))) return groupKey;
  throw new RangeError("groupKey: may not begin with user: or visitor:");
}

/** Returns the key with the caller's prefix. A key that is too long with the prefix is hashed. */
async function ownKey(key: string, caller: Frontend, field: string): Promise<string> {
  const owner = caller.kind === "user" ? `user:${caller.user.id}:` : "visitor:";
  const own = owner + checkKey(key, field);
  if (own.length <= LONGEST_KEY) return own;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `${owner}sha256:${hex.join("")}`;
}

/** Whether a message or an event is open to callers of this kind; a rule still has to allow it. */
export function opens({ access }: { readonly access: unknown }, caller: Frontend): boolean {
  if (access === "authenticated") return caller.kind === "user" && !caller.user.isAnonymous;
  return access !== "secret";
}

/** Evaluates the definition's access rule. */
async function allows(
  definition: MessageDefinition,
  message: DispatchMessage,
  caller: Frontend,
  { log, kept }: { readonly log: Logger; readonly kept: CallerChoices },
): Promise<boolean> {
  const { type, access, maxPayloadBytes } = definition;
  if (typeof access !== "function") return true;
  const json = toStorableJson(type, message.payload, maxPayloadBytes);
  const payload = await checkPayload(definition, json);
  const claims = caller.kind === "user" ? caller.claims : null;
  const options = { ...kept, ...choicesOf(message) };
  return await permits(() => access({ claims, payload, options }), { type }, log);
}

/**
 * Evaluates an access rule. One that throws or takes too long denies access.
 * @param about the message's type or the event's name, for the log
 * @param timeoutMs the bound in ms; default: 10 s
 */
export async function permits(
  rule: () => unknown,
  about: { readonly type: string } | { readonly event: string },
  log: Logger,
  timeoutMs = DISPATCH_TIMEOUT_MS,
): Promise<boolean> {
  const late = () => new Error(`the access rule took longer than ${timeoutMs} ms`);
  try {
    return await within(rule(), timeoutMs, late) === true;
  } catch (error) {
    log.error("access_rule_failed", { ...about, error: describeError(error).message });
    return false;
  }
}

function choicesOf({ type: _, payload: __, delay, ...rest }: DispatchMessage): CallerChoices {
  const choices = { ...rest, delayMs: delay === undefined ? delay : parseDuration(delay, "delay") };
  const given = Object.entries(choices).filter(([, choice]) => choice !== undefined);
  return Object.fromEntries(given);
}

function forbidden(path: readonly (string | number)[], message: string): Problem {
  return new Problem(403, "forbidden", `${path.join(".")}: ${message}`, [{ path, message }]);
}
