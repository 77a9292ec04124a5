/** An endpoint: its description for the OpenAPI document, the check of its input, and its handler. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { readJson, readQuery } from "../http/body.ts";
import type { Operator } from "../http/operator.ts";
import { invalidRequest, toIssues } from "../http/problem.ts";

/** What every request of the management API carries. */
export interface ManagementEnv {
  Variables: { operator: Operator };
}

/** The app of the management API. */
export type ManagementApp = OpenAPIHono<ManagementEnv>;

/** What an endpoint takes and answers. */
export interface Endpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: "get" | "post" | "patch" | "delete";
  /** With `{name}` for each field of `params`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  /** What it takes as JSON; an absent body is `{}`. */
  readonly body?: Body;
  readonly answer: Answer;
  /** Where the answer is no JSON. */
  readonly contentType?: string;
  /** Statuses of the answer, with what they mean; 200 where absent. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Which of them an answer has; the first where absent. */
  readonly statusOf?: (answer: z.output<Answer>) => ContentfulStatusCode;
}

/** A request whose fields were checked. */
export interface EndpointRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly operator: Operator;
}

const problem = z.object({
  code: z.string().openapi({ example: "invalid_request" }),
  message: z.string(),
  issues: z.array(z.object({
    path: z.array(z.union([z.string(), z.int()])),
    message: z.string(),
  })).optional().openapi({ description: "What is wrong with the request, and where" }),
}).openapi("Problem");

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "A field is wrong",
  401: "Credentials are missing or wrong",
  403: "The user has no role for this",
  404: "Nothing is there",
  405: "The method is not known here",
  409: "It does not go with the present state",
  413: "The body is too large",
  415: "The body is compressed, or no JSON by its content-type",
  500: "An error of the function or its configuration",
  503: "The database did not answer; try again",
  504: "The database took too long; less at a time may pass",
};

/**
 * Adds an endpoint. What its handler answers is held to the documented schema: columns that are not in
 * it stay inside.
 */
export function addEndpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(
  app: ManagementApp,
  endpoint: Endpoint<Params, Query, Body, Answer>,
  handle: (
    request: EndpointRequest<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<z.input<Answer>>,
): void {
  const { method, path, params, query, body, answer, contentType, statusOf } = endpoint;
  describe(app, endpoint);
  app.on(method, path.replace(/\{(\w+)\}/g, ":$1"), async (c) => {
    const result = answer.parse(
      await handle({
        params: check(params, c.req.param()),
        query: check(query ?? NOTHING, readQuery(c)) as z.output<Query>,
        // A field that is not known must not be passed over: `dryRun` of a cancel.
        body: (method === "get" ? undefined : await readJson(c, () => body ?? NOTHING)) as z.output<
          Body
        >,
        operator: c.get("operator"),
      }),
    );
    const status = statusOf?.(result) ?? statusesOf(endpoint)[0] ?? 200;
    return contentType === undefined
      ? c.json(result as object, status)
      : c.body(String(result), status, { "content-type": contentType });
  });
}

const NOTHING = z.strictObject({});

function check<Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
): z.output<Schema> {
  const parsed = schema?.safeParse(value);
  if (parsed?.success === false) {
    throw invalidRequest("invalid_request", toIssues(parsed.error));
  }
  return parsed?.data as z.output<Schema>;
}

function statusesOf({ statuses = { 200: "Done" } }: {
  readonly statuses?: Readonly<Record<number, string>>;
}): ContentfulStatusCode[] {
  return Object.keys(statuses).map((status) => Number(status) as ContentfulStatusCode);
}

function describe(
  app: ManagementApp,
  endpoint: Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType>,
): void {
  const { method, path, operationId, tag, summary, description, params, query, body } = endpoint;
  const { answer, contentType = "application/json", statuses = { 200: "Done" } } = endpoint;
  const errors = Object.entries(PROBLEMS).filter(([status]) =>
    !(status in statuses) && (status !== "404" || params) &&
    (!["413", "415"].includes(status) || method !== "get")
  );
  app.openAPIRegistry.registerPath(createRoute({
    method,
    path,
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    request: {
      ...(params instanceof z.ZodObject && { params }),
      ...(query instanceof z.ZodObject && { query }),
      ...(body && { body: { content: { "application/json": { schema: body } } } }),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(statuses).map(([status, meaning]) => [
          status,
          { description: meaning, content: { [contentType]: { schema: answer } } },
        ]),
      ),
      ...Object.fromEntries(
        errors.map(([status, meaning]) => [
          status,
          { description: meaning, content: { "application/json": { schema: problem } } },
        ]),
      ),
    },
  }));
}
