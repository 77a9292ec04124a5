/** Message types of the project, from its definitions. */

import { z } from "@hono/zod-openapi";
import type { MessageDefinition } from "../message/definition.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";

const messageType = z.object({
  type: z.string(),
  queue: z.string(),
  priority: z.int(),
  access: z.string().openapi({
    description: "Access over HTTPS: a level, or `function` if code decides",
  }),
  timeoutMs: z.number(),
  ttlMs: z.number().nullable(),
  handlers: z.array(z.string()),
  schema: z.unknown().openapi({
    description:
      "JSON Schema of the dispatched payload; null if the schema cannot be written as one",
  }),
}).openapi("MessageType");

/** Adds the endpoint of message types. */
export function addTypes(app: ManagementApp, { bus }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/types",
    operationId: "listTypes",
    tag: "status",
    summary: "The message types of the project, with their schemas",
    answer: z.object({ types: z.array(messageType) }),
  }, () =>
    Promise.resolve({
      types: [...bus.registry.values()].map(describe).sort((a, b) => a.type < b.type ? -1 : 1),
    }));
}

function describe(definition: MessageDefinition): z.input<typeof messageType> {
  const { type, queue, priority, access, timeoutMs, ttlMs, handlers } = definition;
  return {
    type,
    queue,
    priority,
    access: typeof access === "string" ? access : "function",
    timeoutMs,
    ttlMs: ttlMs ?? null,
    handlers: handlers.map(({ name }) => name),
    schema: schemaOf(definition),
  };
}

function schemaOf({ schema }: MessageDefinition): unknown {
  try {
    return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  } catch {
    return null;
  }
}
