/** The body of a message in an engine: the facts of its envelope that an engine has no field for, as JSON. */

import { z } from "zod";
import { toStamps } from "../database/claimed-messages.ts";
import type { Stamps } from "../message/envelope.ts";
import { isMoment } from "../runtime/checks.ts";
import { onFirstUse } from "../runtime/first-use.ts";
import { toJson, UnstorableError } from "../runtime/json.ts";
import { parseJson } from "../runtime/json-text.ts";

/** Postgres keeps counters in 32 bits. */
const MOST = 2_147_483_647;

/** Anyone may have put a message into an engine: a counter that is none is refused. */
const engineBody = onFirstUse(() => {
  const count = z.int().min(0).max(MOST).default(0);
  /** An offset may lead out of the years that a timestamptz has. */
  const moment = z.iso.datetime({ offset: true }).refine((text) => isMoment(new Date(text)), {
    message: "has to be in the years 1 to 9999",
  });
  return z.object({
    /** Identity of the installation that dispatched it: ids are unique only within one. */
    origin: z.uuid(),
    payload: z.unknown(),
    priority: z.int().min(-1000).max(1000).default(0),
    groupKey: z.string().min(1).max(255).nullable().default(null),
    /** When it was dispatched, ISO 8601. */
    createdAt: moment,
    /** When it was due, ISO 8601; null: when it was dispatched. */
    availableAt: moment.nullable().default(null),
    /** End of the time to live, ISO 8601; null if it has none. */
    expiresAt: moment.nullable().default(null),
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
});

/** The body of a message in an engine. */
export interface EngineBody extends Omit<z.output<ReturnType<typeof engineBody>>, "stamps"> {
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
 * @throws SyntaxError if it is no JSON, and RangeError that names the field if Postgres could not keep a value in it, or
 * it is none that {@link writeBody} has written. A stamp of the bus that is not what it has to be is left out
 */
export function readBody(text: string): EngineBody {
  const { success, data, error } = engineBody().safeParse(parseJson(text));
  if (!success) {
    const [issue] = error.issues;
    throw new RangeError(`body: ${issue?.path.join(".") || "value"}: ${issue?.message}`);
  }
  const { payload, groupKey, stamps, errors } = data;
  for (const [field, value] of Object.entries({ payload, groupKey, stamps, errors })) {
    checkStorable(field, value);
  }
  return { ...data, stamps: toStamps(stamps) };
}

/** Reads the payload of a body that {@link readBody} has read before. */
export function readPayload(text: string): unknown {
  return JSON.parse(text).payload;
}

function checkStorable(field: string, value: unknown): void {
  try {
    toJson(value);
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw error;
    throw new RangeError(`body: ${[field, ...error.path].join(".")}: ${error.message}`);
  }
}
