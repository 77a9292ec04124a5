/** Routes for a user's own schedules: list and delete. */

import type { Hono } from "hono";
import { z } from "zod";
import type { Schedule } from "../scheduler/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { authenticate } from "./caller.ts";
import { invalidRequest, Problem } from "./problem.ts";

const query = z.strictObject({
  limit: z.string().regex(/^\d{1,3}$/, "has to be a whole number").transform(Number)
    .pipe(z.number().min(1).max(200)).default(50),
  cursor: z.string().regex(/^\d{1,18}$/, "has to be the `next` of a page").default("0"),
});

/** Adds `GET /schedules` and `DELETE /schedules/:id`. Both see only the schedules of the calling user. */
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
    // The answer is the same for an unknown id and another user's schedule, so that ids cannot be probed.
    if (!isDeleted) {
      throw new Problem(404, "not_found", "id: there is no schedule of yours with this id");
    }
    return c.json({ removed: true });
  });
}

/** Returns the calling user's id. @throws Problem 401 without valid credentials, 403 if the caller has a secret key */
async function userOf(request: Request): Promise<string> {
  const caller = await authenticate(request, "secret-or-user");
  if (caller.kind === "user") return caller.user.id;
  const message =
    "This path lists the schedules of a signed-in user; the management API lists all schedules";
  throw new Problem(403, "forbidden", message);
}

/** Leaves out operators' fields. JSON makes texts of moments. */
function toOwn(schedule: Schedule) {
  const { id, message, type, config, timezone, nextRunAt, lastRunAt, runCount, maxRuns } = schedule;
  const { startAt, endAt, catchUp, overlap, whilePaused, enabled, disabledBy, createdAt } =
    schedule;
  return {
    kind: "schedule" as const,
    ...{ id, message, type, config, timezone, nextRunAt, lastRunAt, runCount, maxRuns },
    ...{ startAt, endAt, catchUp, overlap, whilePaused, enabled, disabledBy, createdAt },
  };
}
