/** The way in over HTTPS: authenticate, parse, authorize, dispatch, answer. And what became of it. */

import { createAdminClient } from "@supabase/server/core";
import { messages } from "../_messages/mod.ts";
import {
  ConflictError,
  createMessenger,
  type OutgoingMessage,
  type Stamps,
} from "../_shared/symphony/index.ts";
import { limitsOf } from "../_shared/symphony/bus/limits.ts";
import { followMessage } from "../_shared/symphony/database/follow.ts";
import { createApp } from "../_shared/symphony/http/app.ts";
import { authorize } from "../_shared/symphony/http/authorize.ts";
import { readJson, readQuery } from "../_shared/symphony/http/body.ts";
import { authenticate, type Caller } from "../_shared/symphony/http/caller.ts";
import {
  dispatchBody,
  type DispatchMessage,
  toMessageInput,
} from "../_shared/symphony/http/dispatch-body.ts";
import { addOwnSchedules } from "../_shared/symphony/http/own-schedules.ts";
import { invalidRequest, Problem, toProblem } from "../_shared/symphony/http/problem.ts";
import { toScheduleOptions, toScheduleProblem } from "../_shared/symphony/http/schedule-body.ts";
import type { LimitedDispatch } from "../_shared/symphony/message/rate-limit.ts";

const supabase = createAdminClient();
const { bus, config, log, scheduler, transport } = createMessenger({ supabase, messages });
const app = createApp("dispatch", { maxBodyBytes: config.maxBodyBytes, log });

app.post("/", async (c) => {
  const caller = await authenticate(c.req.raw, "any-key");
  for (const name of Object.keys(readQuery(c))) {
    throw invalidRequest("invalid_request", [{ path: [name], message: "belongs into the body" }]);
  }
  const body = await readJson(c, dispatchBody);
  if (!Array.isArray(body) && body.schedule) {
    return c.json({ scheduleId: await schedule(body, body.schedule, caller) }, 201);
  }
  const prepared = Array.isArray(body)
    ? await Promise.all(body.map((message, index) => prepare(message, caller, [index])))
    : [await prepare(body, caller, [])];
  try {
    return c.json({ ids: await transport.send(prepared, limits(prepared, caller)) }, 202);
  } catch (error) {
    const index = Array.isArray(body) && error instanceof ConflictError ? error.index : undefined;
    throw toProblem(error, index === undefined ? [] : [index]);
  }
});

addOwnSchedules(app, scheduler);

app.get("/:id", async (c) => {
  const caller = await authenticate(c.req.raw, "secret-or-user");
  const userId = caller.kind === "user" ? caller.user.id : null;
  const message = await followMessage(supabase, c.req.param("id"), userId);
  // One answer for what is unknown, what is not remembered, and what is another's.
  if (!message) {
    throw new Problem(404, "not_found", "id: there is no message of yours with this id");
  }
  return c.json(message);
});

/** Checks one message and what its caller may do. @throws Problem that says where it is wrong */
async function prepare(
  message: DispatchMessage,
  caller: Caller,
  path: readonly number[],
): Promise<OutgoingMessage> {
  try {
    if (caller.kind === "secret") return await bus.prepare(toMessageInput(message, {}));
    const allowed = await authorize(message, caller, bus.registry.get(message.type), {
      path,
      log,
    });
    return await bus.prepare(toMessageInput(allowed, {
      ...(caller.kind === "user" && { idempotencyScope: caller.user.id }),
      stamps: stamps(message, caller),
    }));
  } catch (error) {
    throw toProblem(error, path);
  }
}

/** Makes a schedule, or changes the one with its name. @throws Problem that says where it is wrong */
async function schedule(
  message: DispatchMessage,
  schedule: NonNullable<DispatchMessage["schedule"]>,
  caller: Caller,
): Promise<string> {
  const { type, payload } = message;
  try {
    if (caller.kind === "secret") {
      return await scheduler.schedule({ type, payload }, toScheduleOptions(schedule, message));
    }
    const definition = bus.registry.get(type);
    const allowed = await authorize(message, caller, definition, { path: [], log });
    return await scheduler.schedule({ type, payload }, toScheduleOptions(schedule, allowed), {
      stamps: stamps(message, caller),
      limits: limits([message], caller),
      ...(caller.kind === "user" && {
        quota: { userId: caller.user.id, max: config.maxUserSchedules },
      }),
    });
  } catch (error) {
    throw toScheduleProblem(error);
  }
}

/** Who dispatched it, by their token; and whether they want to hear of it. */
function stamps({ type }: DispatchMessage, caller: Caller): Stamps {
  if (caller.kind !== "user") return {};
  return { user: caller.user, ...(bus.registry.get(type)?.live && { live: true }) };
}

/** The rate limits that hold for a caller. */
function limits(messages: readonly { readonly type: string }[], caller: Caller): LimitedDispatch[] {
  if (caller.kind === "secret") return [];
  const whose = caller.kind === "user" ? `user:${caller.user.id}` : caller.kind;
  return limitsOf(messages, whose, bus.registry);
}

export default { fetch: app.fetch };
