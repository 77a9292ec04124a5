/** The edge function `messenger`: the management API for operators, over HTTPS. */

import type { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { managementApps, resourcesAt } from "../management/index.ts";
import type { Messenger } from "../messenger.ts";
import { createApp } from "./app.ts";

/**
 * Makes `messenger`. There is an app for each first part of a path, made by its first request, and one for all paths
 * that do not exist.
 */
export function managementApp({ supabase, bus, router, config, log, schema }: Messenger) {
  const { maxBodyBytes } = config;
  const make = managementApps({ supabase, bus, router, log }, config);
  const apps = new Map<string, Promise<Hono>>();

  async function makeApp(root: string): Promise<Hono> {
    const app = createApp("messenger", { maxBodyBytes, log, schema });
    app.route("/", await make(resourcesAt(root)));
    return app;
  }

  function appAt(path: string): Promise<Hono> {
    const [, , first = ""] = path.split("/", 3);
    const root = resourcesAt(first).length > 0 ? first : "";
    const made = apps.get(root) ?? makeApp(root);
    apps.set(root, made);
    return made;
  }

  return {
    fetch: async (request: Request): Promise<Response> =>
      await (await appAt(getPath(request))).fetch(request),
  };
}
