/** Reads the JSON body and the query of a request, and refuses those that are malformed. */

import type { Context } from "hono";
import type { z } from "zod";
import { UnstorableError } from "../runtime/json.ts";
import { parseJson } from "../runtime/json-text.ts";
import { invalidRequest, Problem, toIssues } from "./problem.ts";

/**
 * Reads a JSON body and checks it against a schema. A request without a body counts as `{}`.
 * @param schemaOf returns the schema for a parsed body
 * @returns the body as the schema transforms it
 * @throws Problem 415 if the body is compressed or of another media type; 400 if it is not UTF-8, not JSON,
 * does not fit the schema, or holds values that would be stored differently
 */
export async function readJson<Schema extends z.ZodType>(
  c: Context,
  schemaOf: (body: unknown) => Schema,
): Promise<z.output<Schema>> {
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength > 0) checkEncoding(c);
  const body = parseBody(bytes);
  const parsed = schemaOf(body).safeParse(body);
  if (!parsed.success) {
    throw invalidRequest("invalid_request", toIssues(parsed.error));
  }
  return parsed.data;
}

/**
 * Parses JSON in UTF-8; no bytes at all count as `{}`.
 * @throws Problem 400 if it is not UTF-8, not JSON, or holds values that would be stored differently
 */
export function parseBody(bytes: ArrayBuffer): unknown {
  return parse(decode(bytes));
}

/** Query parameters that functions-js adds for a region; the gateway reads them. */
const GATEWAY_PARAMETERS = new Set(["forceFunctionRegion"]);

/**
 * Reads the query parameters, without those that are meant for the gateway.
 * @throws Problem 400 that names each parameter that is given more than once
 */
export function readQuery(c: Context): Record<string, string> {
  const given = Object.entries(c.req.queries()).filter(([name]) => !GATEWAY_PARAMETERS.has(name));
  const twice = given.filter(([, values]) => values.length > 1);
  if (twice.length > 0) {
    const issues = twice.map(([name]) => ({ path: [name], message: "is given more than once" }));
    throw invalidRequest("invalid_request", issues);
  }
  return Object.fromEntries(given.map(([name, [value = ""]]) => [name, value]));
}

/**
 * Reads the query and checks it against a schema.
 * @returns the query as the schema transforms it
 * @throws Problem 400 that names each parameter that is wrong, unknown, or given more than once
 */
export function readCheckedQuery<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): z.output<Schema> {
  const { data, error } = schema.safeParse(readQuery(c));
  if (error) throw invalidRequest("invalid_request", toIssues(error));
  return data as z.output<Schema>;
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

/** Refuses other encodings than JSON in UTF-8. A body without a content type counts as JSON. */
function checkEncoding(c: Context): void {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") {
    c.header("accept-encoding", "identity");
    throw unsupported("content-encoding", encoding, "send the body as it is, not compressed");
  }
  const type = c.req.header("content-type")?.trim() ?? "application/json";
  if (!JSON_TYPE.test(type)) {
    throw unsupported("content-type", type, "send application/json (curl: --json instead of -d)");
  }
  const [, charset = "utf-8"] = CHARSET.exec(type) ?? [];
  if (!/^utf-?8$/i.test(charset)) {
    throw unsupported("content-type", type, "JSON is sent in UTF-8");
  }
}

function unsupported(header: string, was: string, expected: string): Problem {
  const shown = JSON.stringify(was.slice(0, 100));
  return new Problem(
    415,
    "unsupported_media_type",
    `${header}: is not taken (was ${shown}); ${expected}`,
  );
}

/** Decodes UTF-8, and drops a byte order mark. @throws Problem 400 if it is none */
export function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, "malformed_json", "The body is not UTF-8");
  }
}

function parse(text: string): unknown {
  if (text === "") return {};
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof UnstorableError) {
      const { path, message } = error;
      // The path begins with an index if the body is an array of messages.
      const isInPayload = path[typeof path[0] === "number" ? 1 : 0] === "payload";
      throw invalidRequest(isInPayload ? "invalid_payload" : "invalid_request", [{
        path,
        message,
      }]);
    }
    // V8's message quotes a part of the body. Bodies may hold secrets, so the quote is removed.
    const reason = String(error).replace(/^SyntaxError: |, (\.\.\.)?".*$/gs, "");
    throw new Problem(400, "malformed_json", `The body is not JSON: ${reason}`);
  }
}
