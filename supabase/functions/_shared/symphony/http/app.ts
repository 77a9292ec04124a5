/** What all functions share at the HTTP edge: CORS, a body limit, JSON bodies, errors as JSON. */

import { corsHeaders } from "@supabase/supabase-js/cors";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { z } from "zod";
import type { Logger } from "../log.ts";
import { invalidRequest, Problem, toProblem } from "./problem.ts";

/**
 * Makes the app of one function.
 * @param name the function's name, which its URLs begin with
 */
export function createApp(
  name: string,
  options: { readonly maxBodyBytes: number; readonly log: Logger },
): Hono {
  const { maxBodyBytes, log } = options;
  const app = new Hono().basePath(`/${name}`);
  app.use(
    cors({
      origin: "*",
      allowHeaders: (corsHeaders["Access-Control-Allow-Headers"] ?? "").split(/\s*,\s*/),
      allowMethods: ["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
      exposeHeaders: ["retry-after"],
    }),
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Problem(413, "body_too_large", `The body may have ${maxBodyBytes} bytes`);
      },
    }),
  );
  app.notFound((c) => {
    const known = app.routes.some(({ path, method }) =>
      method !== "ALL" && new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`).test(c.req.path)
    );
    return known
      ? c.json(new Problem(405, "method_not_allowed", `${c.req.method} is not known here`), 405)
      : c.json(new Problem(404, "not_found", `Nothing is at ${c.req.path}`), 404);
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

/**
 * Reads a JSON body and checks it.
 * @param schemaOf the schema for this body
 * @throws Problem 400 if it is no JSON, or does not fit the schema
 */
export async function readJson<Schema extends z.ZodType>(
  c: Context,
  schemaOf: (body: unknown) => Schema,
): Promise<z.output<Schema>> {
  const text = await c.req.text();
  let body: unknown;
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch (error) {
    // Without the part of the body that V8 quotes: what is in a body is not repeated anywhere.
    const reason = String(error).replace(/^SyntaxError: |, (\.\.\.)?".*$/gs, "");
    throw new Problem(400, "malformed_json", `The body is not JSON: ${reason}`);
  }
  const parsed = schemaOf(body).safeParse(body);
  if (!parsed.success) {
    throw invalidRequest(
      "invalid_request",
      parsed.error.issues.map(({ path, message }) => ({
        path: path.map((key) => typeof key === "symbol" ? String(key) : key),
        message,
      })),
    );
  }
  return parsed.data;
}
