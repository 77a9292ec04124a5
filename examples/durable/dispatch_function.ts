/** The tests' own way to the function `dispatch`: its real routes of events, over a messenger in memory. */

import { createApp } from "../../supabase/functions/_shared/symphony/http/app.ts";
import { addEvents } from "../../supabase/functions/_shared/symphony/http/event-routes.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import type { TestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";

/** Makes a function that takes requests as the deployed one does. */
export function dispatchFunction(
  { bus }: TestMessenger,
): (request: Request) => Promise<Response> {
  const log = createLogger({ level: "silent" });
  const app = createApp("dispatch", { maxBodyBytes: 1_000_000, log, schema: null });
  addEvents(app, { bus, log });
  return async (request) => {
    // The gateway of a project takes this part of the path away.
    const url = request.url.replace("/functions/v1", "");
    return await app.fetch(new Request(url, request));
  };
}
