/** The edge function `dispatch`: accepts messages and schedules over HTTPS, and reports a message's status. */

import type { Hono } from "hono";
import { followMessage } from "../database/follow.ts";
import type { Messenger } from "../messenger.ts";
import { createApp } from "./app.ts";
import { readJson, readQuery } from "./body.ts";
import { authenticate } from "./caller.ts";
import { dispatchBody } from "./dispatch-body.ts";
import { Dispatcher } from "./dispatcher.ts";
import { addOwnSchedules } from "./own-schedules.ts";
import { invalidRequest, Problem } from "./problem.ts";

/** Makes the Hono app of `dispatch`: `POST /`, `GET /:id`, and the user's own `/schedules`. */
export function dispatchApp(messenger: Messenger): Hono {
  const { config, log, scheduler, schema, supabase } = messenger;
  const app = createApp("dispatch", { maxBodyBytes: config.maxBodyBytes, log, schema });
  const dispatcher = new Dispatcher(messenger);

  app.post("/", async (c) => {
    const caller = await authenticate(c.req.raw, "any-key");
    for (const name of Object.keys(readQuery(c))) {
      throw invalidRequest("invalid_request", [{ path: [name], message: "belongs in the body" }]);
    }
    const body = await readJson(c, dispatchBody);
    if (!Array.isArray(body) && body.schedule) {
      return c.json({ scheduleId: await dispatcher.schedule(body, body.schedule, caller) }, 201);
    }
    return c.json({ ids: await dispatcher.dispatch(body, caller) }, 202);
  });

  addOwnSchedules(app, scheduler);

  app.get("/:id", async (c) => {
    const caller = await authenticate(c.req.raw, "secret-or-user");
    const userId = caller.kind === "user" ? caller.user.id : null;
    const message = await followMessage(supabase, c.req.param("id"), userId);
    // The answer is the same for an unknown id, a forgotten message, and another user's message, so that
    // ids cannot be probed.
    if (!message) {
      throw new Problem(404, "not_found", "id: there is no message of yours with this id");
    }
    return c.json(message);
  });
  return app;
}
