/** A user's own schedules: list and delete. */

import type { Hono } from "hono";
import { z } from "zod";
import type { Schedule } from "../scheduler/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { authenticate } from "./caller.ts";
import { invalidRequest, Problem } from "./problem.ts";

/** A schedule as the user who has made it sees it; moments are ISO 8601. */
export interface OwnSchedule {
  readonly id: string;
  readonly message: { readonly type: string; readonly payload: unknown };
  readonly type: Schedule["type"];
  /** `at`, `cron`, or `interval` in ms. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly timezone: string;
  /** Null where no run is left, or the next tick plans it. */
  readonly nextRunAt: string | null;
  readonly lastRunAt: string | null;
  readonly runCount: number;
  readonly maxRuns: number | null;
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly catchUp: Schedule["catchUp"];
  readonly overlap: Schedule["overlap"];
  readonly whilePaused: Schedule["whilePaused"];
  readonly enabled: boolean;
  /** Why it is disabled. */
  readonly disabledBy: Schedule["disabledBy"];
  readonly createdAt: string;
}

/** A page of a user's schedules. */
export interface OwnSchedules {
  readonly schedules: readonly OwnSchedule[];
  /** Cursor of the next page; null where this is the last. */
  readonly next: string | null;
}

const query = z.strictObject({
  limit: z.string().regex(/^\d{1,3}$/, "has to be a whole number").transform(Number)
    .pipe(z.number().min(1).max(200)).default(50),
  cursor: z.string().regex(/^\d{1,18}$/, "has to be the `next` of a page").default("0"),
});

/** Adds `GET /schedules` and `DELETE /schedules/:id`, which see the caller's own only. */
export function addOwnSchedules(app: Hono, scheduler: Scheduler): void {
  app.get("/schedules", async (c) => {
    const userId = await userOf(c.req.raw);
    const { data, error } = query.safeParse(c.req.query());
    if (error) {
      throw invalidRequest(
        "invalid_request",
        error.issues.map(({ path, message }) => ({ path: path.map(String), message })),
      );
    }
    const { limit, cursor: after } = data;
    const { schedules, next } = await scheduler.listOfUser(userId, { after, limit });
    return c.json({ schedules: schedules.map(toOwn), next });
  });

  app.delete("/schedules/:id", async (c) => {
    const userId = await userOf(c.req.raw);
    const id = c.req.param("id");
    const isDeleted = /^\d{1,18}$/.test(id) && await scheduler.unschedule(id, { userId });
    // One answer for what is unknown and what is another's.
    if (!isDeleted) {
      throw new Problem(404, "not_found", "id: there is no schedule of yours with this id");
    }
    return c.json({ removed: true });
  });
}

/** @throws Problem 401, and 403 where no user calls */
async function userOf(request: Request): Promise<string> {
  const caller = await authenticate(request, "secret-or-user");
  if (caller.kind === "user") return caller.user.id;
  const message = "These are a user's own schedules; the management API has all of them";
  throw new Problem(403, "forbidden", message);
}

function toOwn(schedule: Schedule) {
  const { id, message, type, config, timezone, nextRunAt, lastRunAt, runCount, maxRuns } = schedule;
  const { startAt, endAt, catchUp, overlap, whilePaused, enabled, disabledBy, createdAt } =
    schedule;
  return {
    ...{ id, message, type, config, timezone, nextRunAt, lastRunAt, runCount, maxRuns },
    ...{ startAt, endAt, catchUp, overlap, whilePaused, enabled, disabledBy, createdAt },
  };
}
