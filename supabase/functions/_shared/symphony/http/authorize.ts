/** Checks dispatches of callers without a secret key: only what a definition opens to them is allowed. */

import type { CallerChoices } from "../message/access.ts";
import { checkKey } from "../runtime/checks.ts";
import { describeError } from "../message/describe-error.ts";
import { parseDuration } from "../runtime/duration.ts";
import type { Logger } from "../runtime/log.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { checkPayload, toStorableJson } from "../message/payload.ts";
import type { Frontend } from "./caller.ts";
import { chosenOptions, type DispatchMessage } from "./dispatch-body.ts";
import { invalidRequest, Problem } from "./problem.ts";

/**
 * Checks what a caller wants of one message, and answers it as it may be dispatched: with a group key of
 * the caller's own, unless the definition shares groups. Nothing is said about why a type is closed, nor whether
 * there is one of that name.
 * @param definition of the message's type; undefined where there is none
 * @param path where in the request the message stands
 * @throws Problem 403, or 400 where a time lies further ahead than the definition allows
 * @throws RangeError where the group key is none
 * @throws InvalidPayloadError where the definition has a rule, which is asked about valid payloads only
 */
export async function authorize(
  message: DispatchMessage,
  caller: Frontend,
  definition: MessageDefinition | undefined,
  deps: { readonly path: readonly number[]; readonly log: Logger },
): Promise<DispatchMessage> {
  const { path, log } = deps;
  const closed = forbidden([...path, "type"], "you may not dispatch messages of this type");
  if (!definition || !opens(definition, caller)) throw closed;

  const refused = chosenOptions(message).find((option) => !definition.callerOptions.has(option));
  if (refused) throw forbidden([...path, refused], "you may not choose this");
  if (caller.kind === "publishable") {
    // A stranger's key could answer or silence another's, and a stranger's schedule has no owner.
    for (const field of ["idempotencyKey", "schedule"] as const) {
      if (message[field] !== undefined) throw forbidden([...path, field], "needs a user");
    }
  } else if (message.schedule?.name !== undefined) {
    // Under a name, a user could change what belongs to others.
    throw forbidden([...path, "schedule", "name"], "users may not name it");
  }
  checkTimes(message, definition.maxDelayMs, path);
  const { groupKey } = message;
  const group = groupKey === undefined
    ? undefined
    : definition.sharedGroups
    ? sharedGroup(groupKey)
    : await ownGroup(groupKey, caller);
  if (!await allows(definition, message, caller, log)) throw closed;
  return group === undefined ? message : { ...message, groupKey: group };
}

/** A message far ahead holds up its group and stays in the table until then. */
function checkTimes(
  { delay, availableAt, schedule }: DispatchMessage,
  maxDelayMs: number,
  path: readonly number[],
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
  const tooFar = times.find(([isTooFar]) => isTooFar);
  if (!tooFar) return;
  const message = `may lie at most ${maxDelayMs} ms ahead for messages of this type`;
  throw invalidRequest("invalid_request", [{ path: [...path, ...tooFar[1]], message }]);
}

const OWN_GROUP = /^(?:user|visitor):/;
const LONGEST_KEY = 255;

function sharedGroup(groupKey: string): string {
  // Among shared keys, one could name another user's own group.
  if (!OWN_GROUP.test(checkKey(groupKey, "groupKey"))) return groupKey;
  throw new RangeError("groupKey: may not begin with user: or visitor:");
}

/** The key as the caller's own; a long one is hashed, so that it fits. */
async function ownGroup(groupKey: string, caller: Frontend): Promise<string> {
  const owner = caller.kind === "user" ? `user:${caller.user.id}:` : "visitor:";
  const own = owner + checkKey(groupKey, "groupKey");
  if (own.length <= LONGEST_KEY) return own;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(groupKey));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `${owner}sha256:${hex.join("")}`;
}

function opens({ access }: MessageDefinition, caller: Frontend): boolean {
  if (access === "authenticated") return caller.kind === "user" && !caller.user.isAnonymous;
  return access !== "secret";
}

/** Asks the definition's own rule, where it has one. */
async function allows(
  definition: MessageDefinition,
  message: DispatchMessage,
  caller: Frontend,
  log: Logger,
): Promise<boolean> {
  const { type, access, maxPayloadBytes } = definition;
  if (typeof access !== "function") return true;
  const json = toStorableJson(type, message.payload, maxPayloadBytes);
  const payload = await checkPayload(definition, json);
  const claims = caller.kind === "user" ? caller.claims : null;
  try {
    return await access({ claims, payload, options: choicesOf(message) }) === true;
  } catch (error) {
    log.error("access_rule_failed", { type, error: describeError(error).message });
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
