/** What callers without a secret key may dispatch: what a definition opens to them, nothing else. */

import { describeError } from "../describe-error.ts";
import type { Logger } from "../log.ts";
import type { MessageDefinition } from "../message.ts";
import { parsePayload, toStorableJson } from "../payload.ts";
import type { Frontend } from "./caller.ts";
import { chosenOptions, type DispatchMessage } from "./dispatch-body.ts";
import { Problem } from "./problem.ts";

/**
 * Checks what a caller wants of one message. Nothing is said about why a type is closed, nor whether
 * there is one of that name.
 * @param definition of the message's type; undefined where there is none
 * @param path where in the request the message stands
 * @throws Problem 403
 * @throws InvalidPayloadError where the definition has a rule, which is asked about valid payloads only
 */
export async function authorize(
  message: DispatchMessage,
  caller: Frontend,
  definition: MessageDefinition | undefined,
  deps: { readonly path: readonly number[]; readonly log: Logger },
): Promise<void> {
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
  if (!await allows(definition, message, caller, log)) throw closed;
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
  const payload = await parsePayload(definition, json);
  const claims = caller.kind === "user" ? caller.claims : null;
  try {
    return await access({ claims, payload }) === true;
  } catch (error) {
    log.error("access_rule_failed", { type, error: describeError(error).message });
    return false;
  }
}

function forbidden(path: readonly (string | number)[], message: string): Problem {
  return new Problem(403, "forbidden", `${path.join(".")}: ${message}`, [{ path, message }]);
}
