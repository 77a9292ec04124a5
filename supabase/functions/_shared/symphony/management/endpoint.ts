/** An endpoint: its entry in the OpenAPI document, the check of its input, and its handler. */

import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { readJson, readQuery } from "../http/body.ts";
import type { Operator } from "../http/operator.ts";
import { invalidRequest, toIssues } from "../http/problem.ts";

/** Values that every request of the management API carries. */
export interface ManagementEnv {
  Variables: { operator: Operator };
}

/** The app of the management API. */
export type ManagementApp = OpenAPIHono<ManagementEnv>;

/** An endpoint's input and answer. */
export interface Endpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for each field of `params`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  /** Schema of the JSON body; without a body it is `{}`. */
  readonly body?: Body;
  readonly answer: Answer;
  /** Content type of an answer that is no JSON. */
  readonly contentType?: string;
  /** Statuses of the answer with their descriptions; default: 200. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Its body names something that may not exist; a name in the path always may not. */
  readonly mayBeMissing?: true;
  /** Status of an answer; default: the first of `statuses`. */
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
  })).optional().openapi({ description: "The problems of the request, with their paths" }),
}).openapi("Problem");

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "A field is wrong",
  401: "Credentials are missing or wrong",
  403: "The user has no role for this",
  404: "It does not exist",
  405: "The path does not have this method",
  409: "It contradicts the current state",
  413: "The body is too large",
  415: "The body is compressed, or its content-type is not JSON",
  500: "An error of the function or its configuration",
  503: "The database did not answer; try again",
  504: "The database took too long; a smaller request may pass",
};

/**
 * Adds an endpoint. The documented schema filters the handler's answer: columns that are not in it are
 * never sent.
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
        // An unknown field, such as a cancel's `dryRun`, must not be ignored.
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
    !(status in statuses) && (status !== "404" || params || endpoint.mayBeMissing) &&
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
