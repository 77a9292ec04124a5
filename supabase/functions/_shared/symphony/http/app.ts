/** The HTTP edge of every function: CORS, a body limit, errors as JSON. */

import { corsHeaders } from "@supabase/supabase-js/cors";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { Logger } from "../runtime/log.ts";
import { surviveStrayErrors } from "../runtime/stray-errors.ts";
import { Problem, toProblem } from "./problem.ts";

/**
 * Makes the app of one function.
 * @param name the function's name, which its URLs begin with
 */
export function createApp(
  name: string,
  options: { readonly maxBodyBytes: number; readonly log: Logger },
): Hono {
  const { maxBodyBytes, log } = options;
  surviveStrayErrors(log);
  const app = new Hono().basePath(`/${name}`);
  app.use(
    allowOrigins,
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Problem(413, "body_too_large", `The body may have ${maxBodyBytes} bytes`);
      },
    }),
  );
  app.notFound((c) => {
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length === 0) {
      return c.json(new Problem(404, "not_found", `Nothing is at ${c.req.path}`), 404);
    }
    const problem = new Problem(405, "method_not_allowed", `${c.req.method} is not known here`);
    return c.json(problem, 405, { allow: allowed.join(", ") });
  });
  app.onError((error, c) => {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      log.error("request_failed", {
        status: problem.status,
        error: String(problem.cause ?? error),
      });
    }
    const { status, retryAfterS } = problem;
    if (retryAfterS !== undefined) c.header("retry-after", String(retryAfterS));
    return c.json(problem, status);
  });
  return app;
}

/** The methods that a path has; none of a path that is not there. */
function methodsOf(app: Hono, path: string): string[] {
  const methods = app.routes.filter((route) =>
    route.method !== "ALL" &&
    new RegExp(`^${route.path.replace(/:\w+/g, "[^/]+")}$`).test(path)
  ).map(({ method }) => method.toUpperCase());
  if (methods.length === 0) return [];
  return [...new Set(methods.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]))]
    .concat("OPTIONS");
}

const PREFLIGHT_MAX_AGE_S = 86_400;
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,100}$/;
const MAX_REQUESTED_HEADERS = 100;

const KNOWN_HEADERS = (corsHeaders["Access-Control-Allow-Headers"] ?? "").split(/\s*,\s*/);

/**
 * Any origin may call, with any header: what a caller may do is up to its credentials, none of which a
 * browser adds by itself.
 */
function allowOrigins(c: Context, next: () => Promise<void>) {
  const requested = (c.req.header("access-control-request-headers") ?? "").split(",")
    .map((name) => name.trim().toLowerCase()).filter((name) => TOKEN.test(name))
    .slice(0, MAX_REQUESTED_HEADERS);
  return cors({
    origin: "*",
    allowHeaders: [...new Set([...KNOWN_HEADERS, ...requested])],
    allowMethods: ["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
    exposeHeaders: ["retry-after", "allow"],
    maxAge: PREFLIGHT_MAX_AGE_S,
  })(c, next);
}
