/** Shared by the endpoints of schedules: a schedule in full, and errors with their paths. */

import type { z } from "@hono/zod-openapi";
import { NotFoundError } from "../message/errors.ts";
import { invalidRequest, namedField, toProblem } from "../http/problem.ts";
import type { Schedule } from "../scheduler/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { schedule } from "./schedule-schemas.ts";

/** Returns a schedule in full. @throws NotFoundError if the id is unknown */
export async function show(scheduler: Scheduler, id: string): Promise<z.input<typeof schedule>> {
  const found: Schedule | null = await scheduler.get(id);
  if (!found) throw notFound(id);
  return toJson(found);
}

/** The error for an unknown id. */
export function notFound(id: string): NotFoundError {
  return new NotFoundError(`id: there is no schedule ${id}`);
}

/** Turns dates into text. The endpoint's schema checks the result. */
export function toJson<Shown>(value: unknown): Shown {
  return JSON.parse(JSON.stringify(value));
}

// Fields that are beside `schedule` in a request body, and not inside it.
const BESIDE = new Set(["type", "payload", "queue", "priority", "groupKey"]);

/** Gives an error of the scheduler its path in the body: `config.at`, under `parent`. */
export async function told<Answer>(
  act: () => Promise<Answer>,
  parent: readonly string[],
): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    const named = namedField(error);
    const problem = toProblem(error);
    if (problem.status !== 400 || named === undefined) throw problem;
    const { field, message } = named;
    const path = BESIDE.has(field) ? [field] : [...parent, ...field.split(".")];
    throw invalidRequest("invalid_request", [{ path, message }]);
  }
}
