/** The HTTP edge that all functions share: CORS, a limit for bodies, and errors as JSON. */

import { corsHeaders } from "@supabase/supabase-js/cors";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { getPath } from "hono/utils/url";
import type { Logger } from "../runtime/log.ts";
import type { SchemaVersion } from "../database/schema-version.ts";
import { surviveStrayErrors } from "../runtime/stray-errors.ts";
import { VERSION } from "../runtime/version.ts";
import { Problem, toProblem } from "./problem.ts";

/** The header in which each answer, a refusal too, names the library's version: a deploy is checked by it. */
export const VERSION_HEADER = "symphony-version";

/** Options of {@link createApp}. */
export interface AppOptions {
  /** A larger request body gets 413. */
  readonly maxBodyBytes: number;
  /** Receives errors of status 500 and above. */
  readonly log: Logger;
  /** Explains errors of calls that the schema does not know. */
  readonly schema: SchemaVersion | null;
}

/**
 * Makes the Hono app of one edge function, without routes of its own.
 * @param name the function's name; its URLs begin with it
 */
export function createApp(
  name: string,
  options: AppOptions,
): Hono {
  const { maxBodyBytes, log, schema } = options;
  surviveStrayErrors(log);
  const app = new Hono({ getPath: (request) => withoutPrefix(getPath(request), name) })
    .basePath(`/${name}`);
  app.use(
    tellVersion,
    allowOrigins,
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Problem(
          413,
          "body_too_large",
          `The body is too large; it may have at most ${maxBodyBytes} bytes`,
        );
      },
    }),
  );
  app.notFound((c) => {
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length === 0) {
      return c.json(new Problem(404, "not_found", `There is nothing at ${c.req.path}`), 404);
    }
    const problem = new Problem(405, "method_not_allowed", `${c.req.method} is not allowed here`);
    return c.json(problem, 405, { allow: allowed.join(", ") });
  });
  app.onError(async (thrown, c) => {
    const problem = await loggedProblem(thrown, { log, schema });
    const { status, retryAfterS } = problem;
    if (retryAfterS !== undefined) c.header("retry-after", String(retryAfterS));
    return c.json(problem, status);
  });
  return app;
}

/** Makes what a caller is told of an error, and logs it if it is the project's fault. */
export async function loggedProblem(
  thrown: unknown,
  { log, schema }: Pick<AppOptions, "log" | "schema">,
): Promise<Problem> {
  const error = await schema?.explain(thrown) ?? thrown;
  const problem = toProblem(error);
  if (problem.status >= 500) {
    log.error("request_failed", {
      status: problem.status,
      error: String(problem.cause ?? error),
    });
  }
  return problem;
}

async function tellVersion(c: Context, next: () => Promise<void>) {
  await next();
  c.header(VERSION_HEADER, VERSION);
}

/**
 * Takes a project's prefix off the function's name in a path: `/bus-tick/` is `/tick/`. `init --prefix` names the
 * functions so where a project has others of our names.
 */
function withoutPrefix(path: string, name: string): string {
  const [, called = ""] = path.split("/", 2);
  return called.endsWith(`-${name}`) ? `/${name}${path.slice(called.length + 1)}` : path;
}

/** Returns the methods of a path, or an empty array if no route has this path. */
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
 * Allows calls from any origin and with any header. The credentials of a request decide what it may do, and
 * a browser adds none of them by itself, so a foreign page gains nothing.
 */
function allowOrigins(c: Context, next: () => Promise<void>) {
  const requested = (c.req.header("access-control-request-headers") ?? "").split(",")
    .map((name) => name.trim().toLowerCase()).filter((name) => TOKEN.test(name))
    .slice(0, MAX_REQUESTED_HEADERS);
  return cors({
    origin: "*",
    allowHeaders: [...new Set([...KNOWN_HEADERS, ...requested])],
    allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    exposeHeaders: ["retry-after", "allow"],
    maxAge: PREFLIGHT_MAX_AGE_S,
  })(c, next);
}
