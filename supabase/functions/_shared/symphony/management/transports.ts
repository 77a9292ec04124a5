/** Transports beside home: their engines make the queues that the project's messages need. */

import { z } from "@hono/zod-openapi";
import type { Routes } from "../bus/routing.ts";
import type { Registry } from "../message/registry.ts";
import { readProperty } from "../runtime/inspect.ts";
import { within } from "../runtime/within.ts";
import { type EngineSender, isReceived } from "../transport/engine.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import type { TransportChecks } from "./transport-checks.ts";

/** Longest time for one transport, in ms. */
const TIMEOUT_MS = 20_000;

const declared = z.object({
  transports: z.array(z.object({
    name: z.string(),
    state: z.enum(["declared", "failed", "elsewhere"]).openapi({
      description: "`elsewhere`: another project handles its messages, and has its queues",
    }),
    problem: z.string().nullable().openapi({ description: "Why it failed; null if it did not" }),
  })),
}).openapi("DeclaredTransports");

/** Adds the endpoint. */
export function addTransports(
  app: ManagementApp,
  { bus, router }: ManagementParts,
  checks: Pick<TransportChecks, "forget">,
): void {
  addEndpoint(app, {
    method: "post",
    path: "/transports/declare",
    operationId: "declareTransports",
    tag: "transports",
    summary: "Makes the queues of the project's transports, as after an upgrade",
    description: "Queues that are there stay. A transport that fails keeps no other back.",
    answer: declared,
  }, async () => {
    const transports = router ? await declareTransports(router.routes, bus.registry) : [];
    // The doctor that follows must not tell what was mended.
    checks.forget();
    return { transports };
  });
}

/** Makes the queues of all messages that have a fixed route. Never throws. */
export function declareTransports(
  { transports, byType }: Pick<Routes, "transports" | "byType">,
  registry: Pick<Registry, "values">,
): Promise<z.output<typeof declared>["transports"]> {
  return Promise.all([...transports].map(async ([name, engine]) => {
    const own = [...registry.values()].filter(({ type }) => byType.get(type) === name);
    const queues = [...new Set(own.map(({ queue }) => queue))];
    return { name, ...await declare(engine, queues) };
  }));
}

/** Never throws. */
async function declare(engine: EngineSender, queues: readonly string[]) {
  if (!isReceived(engine)) return { state: "elsewhere" as const, problem: null };
  const late = () => new Error(`gave no answer within ${TIMEOUT_MS / 1_000} s`);
  try {
    await within(engine.declare(queues.map((name) => ({ name }))), TIMEOUT_MS, late);
    return { state: "declared" as const, problem: null };
  } catch (error) {
    const problem = String(readProperty(error, "message") ?? error);
    return { state: "failed" as const, problem };
  }
}
