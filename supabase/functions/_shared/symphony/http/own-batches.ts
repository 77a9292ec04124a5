/** Routes for batches: their dispatch in chunks, a user's own ones, their state, and their cancel. */

import type { Hono } from "hono";
import { z } from "zod";
import { cancelBatch, followBatch, listOwnBatches } from "../database/batch-calls.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { Messenger } from "../messenger.ts";
import { readCheckedQuery, readJson } from "./body.ts";
import { authenticate, authenticateUser, type Caller } from "./caller.ts";
import { batchBody } from "./dispatch-body.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { traceOf } from "../tracing/trace-stamp.ts";
import { cursorField, limitField } from "./field-schemas.ts";
import { Problem } from "./problem.ts";

/** Longest time of a cancel, in ms. The sweep continues one that takes longer. */
const CANCEL_BUDGET_MS = 5_000;

/** Most types whose names a batch keeps. Of a batch with more, not each type can be judged. */
const MAX_KNOWN_TYPES = 1_000;

const listQuery = z.strictObject({ limit: limitField(100), cursor: cursorField.optional() });

/**
 * Adds `POST /batches`, `GET /batches`, `GET /batches/:id` and `DELETE /batches/:id`. Users reach the batches that they
 * dispatched. A secret key reaches every batch, but has no list here. Holders of the publishable key reach none.
 */
export function addOwnBatches(
  app: Hono,
  messenger: Pick<Messenger, "bus" | "supabase">,
  dispatcher: Dispatcher,
): void {
  const { bus: { registry }, supabase } = messenger;

  app.post("/batches", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const { id, total, sealed } = await dispatcher.batch(
      await readJson(c, () => batchBody),
      caller,
      traceOf(c.req.raw.headers),
    );
    return c.json({ batchId: id, total, sealed }, 202);
  });

  app.get("/batches", async (c) => {
    const { user } = await authenticateUser(c.req.raw, "GET /batches of the management API");
    return c.json(await listOwnBatches(supabase, user.id, readCheckedQuery(c, listQuery)));
  });

  app.get("/batches/:id", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    return c.json(known(await followBatch(supabase, c.req.param("id"), userIdOf(caller))));
  });

  app.delete("/batches/:id", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const id = c.req.param("id");
    const userId = userIdOf(caller);
    const batch = known(await followBatch(supabase, id, userId));
    const mayCancel = (type: string) => registry.get(type)?.callerOptions.has("cancel") === true;
    const isJudged = batch.types.length < MAX_KNOWN_TYPES && batch.types.every(mayCancel);
    if (userId !== null && !isJudged) {
      throw new Problem(403, "forbidden", "you may not cancel messages of all types of the batch");
    }
    // Another request has cancelled it, or this one is the repetition of a request whose response was lost.
    if (batch.status === "cancelled") return c.json(batch);
    if (["handled", "failed"].includes(batch.status)) {
      throw new Problem(409, "conflict", `The batch is finished: its status is ${batch.status}`);
    }
    await cancelBatch(supabase, { id }, { budgetMs: CANCEL_BUDGET_MS });
    return c.json(known(await followBatch(supabase, id, userId)));
  });
}

/** Returns the user whose batches the caller reaches; null: every batch. */
function userIdOf(caller: Caller): string | null {
  return caller.kind === "user" ? caller.user.id : null;
}

/** Refuses a batch that is not there, in the same way as another user's, so that ids cannot be probed. */
function known(batch: FollowedBatch | null): FollowedBatch {
  if (batch) return batch;
  throw new Problem(404, "not_found", "id: there is no batch of yours with this id");
}
