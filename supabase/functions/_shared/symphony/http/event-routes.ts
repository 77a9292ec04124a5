/** Routes that emit events: by a caller's credentials, or by a token, which is used up. */

import type { Context, Hono } from "hono";
import { z } from "zod";
import { InvalidPayloadError } from "../message/errors.ts";
import { type EventDefinition, partsOf } from "../message/event.ts";
import { checkPayload, toStorableJson } from "../message/payload.ts";
import { checkKey } from "../runtime/checks.ts";
import { MAX_EVENT_BYTES } from "../bus/events.ts";
import type { Messenger } from "../messenger.ts";
import { opens, permits } from "./authorize.ts";
import { readJson, readQuery } from "./body.ts";
import { authenticate, type Frontend } from "./caller.ts";
import { allowanceOf } from "./dispatcher.ts";
import { invalidRequest, Problem, toProblem } from "./problem.ts";

const emitBody = z.strictObject({ value: z.unknown().optional() });

const tokenBody = z.strictObject({
  token: z.string("has to be a token, as text"),
  value: z.unknown().optional(),
});

/**
 * Adds `POST /events/:key` and `POST /events`. Only a POST emits: programs that look into mails follow links by GET,
 * and find nothing to do here.
 */
export function addEvents(app: Hono, messenger: Pick<Messenger, "bus" | "log">): void {
  const { bus: { events }, log } = messenger;

  app.post("/events/:key", async (c) => {
    const caller = await authenticate(c.req.raw, "any-key");
    refuseQuery(c);
    const event = c.req.param("key");
    const { value = null } = await readJson(c, () => emitBody);
    const id = await orProblem(async () => {
      checkKey(event, "event");
      const definition = events.definitionOf(event);
      if (caller.kind !== "secret") await authorizeEmit(event, value, caller, { definition, log });
      else if (!definition) throw unknownEvent(event);
      return await events.emit(event, value, allowanceOf(caller));
    });
    return c.json({ id }, 202);
  });

  app.post("/events", async (c) => {
    refuseQuery(c);
    const { token, value = null } = await readJson(c, () => tokenBody);
    const content = events.read(token);
    if (!content) throw new Problem(401, "unauthorized", "token: is forged, or no token");
    if (content.isExpired) throw new Problem(410, "expired", "token: has expired");
    return c.json({ id: await orProblem(() => events.redeem(content, value)) }, 202);
  });

  // Without this route, a GET would look for a message with the id "events".
  app.all("/events", (c) => {
    c.header("allow", "POST, OPTIONS");
    throw new Problem(405, "method_not_allowed", `${c.req.method} is not allowed here`);
  });
}

function refuseQuery(c: Context): void {
  for (const name of Object.keys(readQuery(c))) {
    throw invalidRequest("invalid_request", [{ path: [name], message: "belongs in the body" }]);
  }
}

function unknownEvent(event: string): Problem {
  const message = `${partsOf(event).name} is not declared; only declared events are emitted here`;
  return new Problem(404, "unknown_event", `event: ${message}`, [{ path: ["event"], message }]);
}

/**
 * Refuses a caller who may not emit an event. The refusal is the same for an event that is not declared and one that
 * is closed to the caller, so that the answer does not reveal which events there are.
 * @throws Problem 403
 * @throws InvalidPayloadError if there is a rule and the value is not valid: a rule sees valid values only
 */
async function authorizeEmit(
  event: string,
  value: unknown,
  caller: Frontend,
  { definition, log }: {
    readonly definition: EventDefinition | undefined;
    readonly log: Messenger["log"];
  },
): Promise<void> {
  const message = "you may not emit this event";
  const closed = new Problem(403, "forbidden", `event: ${message}`, [{ path: ["event"], message }]);
  if (!definition || !opens(definition, caller)) throw closed;
  const { name, access, schema } = definition;
  if (typeof access !== "function") return;
  const json = toStorableJson(event, value, MAX_EVENT_BYTES);
  const checked = await checkPayload({ type: event, schema }, json);
  const claims = caller.kind === "user" ? caller.claims : null;
  const request = { claims, key: partsOf(event).key, value: checked };
  if (!await permits(() => access(request), { event: name }, log)) throw closed;
}

/** Calls what emits, and converts its errors: a wrong value is the request's, and no payload of a message. */
async function orProblem(emit: () => Promise<string>): Promise<string> {
  try {
    return await emit();
  } catch (error) {
    if (!(error instanceof InvalidPayloadError)) throw toProblem(error);
    throw invalidRequest(
      "invalid_value",
      error.issues.map(({ path, message }) => ({
        path: ["value", ...path.map((key) => typeof key === "symbol" ? String(key) : key)],
        message,
      })),
    );
  }
}
