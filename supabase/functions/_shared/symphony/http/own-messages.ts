/** Routes for messages after their dispatch: states by id, a user's own messages, and their cancel. */

import type { Hono } from "hono";
import { z } from "zod";
import {
  cancelMessage,
  followMessage,
  followMessages,
  listOwnMessages,
} from "../database/follow.ts";
import type { FollowedMessage } from "../message/followed-message.ts";
import type { Messenger } from "../messenger.ts";
import { readCheckedQuery, readJson } from "./body.ts";
import { authenticate, authenticateUser, type Caller } from "./caller.ts";
import { cursorField, limitField, typeField } from "./field-schemas.ts";
import { Problem } from "./problem.ts";

/** The largest number of ids in one request for states. */
const MAX_IDS = 100;

const STATUSES = [
  "pending",
  "processing",
  "retrying",
  "handled",
  "failed",
  "cancelled",
] as const satisfies readonly FollowedMessage["status"][];

const listQuery = z.strictObject({
  type: typeField.optional(),
  status: z.enum(STATUSES, `has to be one of ${STATUSES.join(", ")}`).optional(),
  limit: limitField(100),
  cursor: cursorField.optional(),
});

// A text that is no id is an unknown id: one of them must not hide the states of the others.
const statusBody = z.strictObject({
  ids: z.array(z.string("has to be an id, as text").max(100, "has to be an id, as text"))
    .min(1, "has to hold an id").max(MAX_IDS, `may hold at most ${MAX_IDS} ids`),
});

/**
 * Adds `GET /messages`, `POST /status`, `GET /:id` and `DELETE /:id`. Users reach the messages that they
 * dispatched. A secret key reaches every message, but has no list here.
 */
export function addOwnMessages(app: Hono, messenger: Pick<Messenger, "bus" | "supabase">): void {
  const { bus: { registry }, supabase } = messenger;

  app.get("/messages", async (c) => {
    const { user } = await authenticateUser(c.req.raw, "GET /messages of the management API");
    return c.json(await listOwnMessages(supabase, user.id, readCheckedQuery(c, listQuery)));
  });

  app.post("/status", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const { ids } = await readJson(c, () => statusBody);
    return c.json(await followMessages(supabase, ids, userIdOf(caller)));
  });

  app.get("/:id", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const message = await followMessage(supabase, c.req.param("id"), userIdOf(caller));
    return c.json(known(message));
  });

  app.delete("/:id", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const id = c.req.param("id");
    const userId = userIdOf(caller);
    if (userId !== null) {
      const { type } = known(await followMessage(supabase, id, userId));
      if (!registry.get(type)?.callerOptions.has("cancel")) {
        throw new Problem(403, "forbidden", "you may not cancel messages of this type");
      }
    }
    return c.json(ended(known(await cancelMessage(supabase, id, userId))));
  });
}

/** Returns the user whose messages the caller reaches; null: every message. */
function userIdOf(caller: Caller): string | null {
  return caller.kind === "user" ? caller.user.id : null;
}

/**
 * Refuses a message that is not there. The refusal is the same for an unknown id, a message that is no longer
 * known, and another user's, so that ids cannot be probed.
 */
function known(message: FollowedMessage | null): FollowedMessage {
  if (message) return message;
  throw new Problem(404, "not_found", "id: there is no message of yours with this id");
}

/** Refuses a cancel that came too late. A message that was cancelled before is what its caller asks for. */
function ended(message: FollowedMessage): FollowedMessage {
  const { status, cancelling } = message;
  if (status === "cancelled" || cancelling) return message;
  throw new Problem(409, "conflict", `The message is finished: its status is ${status}`);
}
