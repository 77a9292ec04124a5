/** The edge function `dispatch`: accepts messages and schedules over HTTPS, and lets users follow and change theirs. */

import type { Hono } from "hono";
import type { Messenger } from "../messenger.ts";
import { createApp } from "./app.ts";
import { readJson, readQuery } from "./body.ts";
import { authenticate } from "./caller.ts";
import { dispatchBody } from "./dispatch-body.ts";
import { Dispatcher } from "./dispatcher.ts";
import { addOwnBatches } from "./own-batches.ts";
import { addOwnMessages } from "./own-messages.ts";
import { addOwnSchedules } from "./own-schedules.ts";
import { addEvents } from "./event-routes.ts";
import { invalidRequest } from "./problem.ts";
import { traceOf } from "../tracing/trace-stamp.ts";

/** Makes the Hono app of `dispatch`: `POST /`, and routes for messages and schedules that are there. */
export function dispatchApp(messenger: Messenger): Hono {
  const { config, log, schema } = messenger;
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
    return c.json(
      { ids: await dispatcher.dispatch(body, caller, traceOf(c.req.raw.headers)) },
      202,
    );
  });

  addEvents(app, messenger);
  addOwnBatches(app, messenger, dispatcher);
  // Before the messages, whose `/:id` matches every path of one part.
  addOwnSchedules(app, messenger);
  addOwnMessages(app, messenger);
  return app;
}
