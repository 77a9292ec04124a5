/** The edge function `messenger`: the management API for operators, over HTTPS. */

import type { Hono } from "hono";
import { createManagementApp } from "../management/index.ts";
import type { Messenger } from "../messenger.ts";
import { createApp } from "./app.ts";

/** Makes the Hono app of `messenger`. */
export function managementApp({ supabase, bus, router, config, log, schema }: Messenger): Hono {
  const app = createApp("messenger", { maxBodyBytes: config.maxBodyBytes, log, schema });
  app.route("/", createManagementApp({ supabase, bus, router, log }, config));
  return app;
}
