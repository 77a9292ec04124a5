/** The body of a message in an engine: the facts of its envelope that an engine has no field for, as JSON. */

import { z } from "zod";
import { toStamps } from "../database/claimed-messages.ts";
import type { Stamps } from "../message/envelope.ts";
import { parseJson } from "../runtime/json-text.ts";

const count = z.int().min(0).default(0);

/** Anyone may have put a message into an engine: a counter that is none is refused. */
const engineBody = z.object({
  /** Identity of the installation that dispatched it: ids are unique only within one. */
  origin: z.uuid(),
  payload: z.unknown(),
  priority: z.int().min(-1000).max(1000).default(0),
  groupKey: z.string().min(1).max(255).nullable().default(null),
  /** When it was dispatched, ISO 8601. */
  createdAt: z.iso.datetime({ offset: true }),
  /** When it was due, ISO 8601; null: when it was dispatched. */
  availableAt: z.iso.datetime({ offset: true }).nullable().default(null),
  /** End of the time to live, ISO 8601; null if it has none. */
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
  retryCount: count,
  attempts: count,
  snoozes: count,
  interruptions: count,
  stamps: z.record(z.string(), z.unknown()).default({}),
  /** Failed attempts, oldest first. */
  errors: z.array(z.unknown()).max(100).default([]),
  /** A copy of the publication may be in the engine already. */
  repeated: z.boolean().default(false),
}).refine((body) => "payload" in body, { path: ["payload"], message: "is missing" });

/** The body of a message in an engine. */
export interface EngineBody extends Omit<z.output<typeof engineBody>, "stamps"> {
  readonly stamps: Stamps;
}

/** Writes a body. Facts that are left out have their defaults. */
export function writeBody(
  body: Pick<EngineBody, "origin" | "payload" | "createdAt"> & Partial<EngineBody>,
): string {
  return JSON.stringify({ ...body, payload: body.payload ?? null });
}

/**
 * Reads a body.
 * @throws SyntaxError if it is no JSON, UnstorableError if a number or key in it would be lost, and RangeError that
 * names the field if it is none that {@link writeBody} has written. A stamp of the bus that is not what it has to be is
 * left out
 */
export function readBody(text: string): EngineBody {
  const parsed = engineBody.safeParse(parseJson(text));
  if (parsed.success) return { ...parsed.data, stamps: toStamps(parsed.data.stamps) };
  const [issue] = parsed.error.issues;
  throw new RangeError(`body: ${issue?.path.join(".") || "value"}: ${issue?.message}`);
}
