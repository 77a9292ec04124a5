/** Routes for a user's own schedules: list and delete. */

import type { Hono } from "hono";
import { z } from "zod";
import type { Schedule } from "../scheduler/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { readCheckedQuery } from "./body.ts";
import { authenticateUser } from "./caller.ts";
import { cursorField, limitField } from "./field-schemas.ts";
import { Problem } from "./problem.ts";

const query = z.strictObject({ limit: limitField(200), cursor: cursorField.default("0") });

const INSTEAD = "/schedules of the management API";

/** Adds `GET /schedules` and `DELETE /schedules/:id`. Both see only the schedules of the calling user. */
export function addOwnSchedules(app: Hono, scheduler: Scheduler): void {
  app.get("/schedules", async (c) => {
    const { user } = await authenticateUser(c.req.raw, INSTEAD);
    const { limit, cursor: after } = readCheckedQuery(c, query);
    const { schedules, next } = await scheduler.listOfUser(user.id, { after, limit });
    return c.json({ schedules: schedules.map(toOwn), next });
  });

  app.delete("/schedules/:id", async (c) => {
    const { user } = await authenticateUser(c.req.raw, INSTEAD);
    const id = c.req.param("id");
    const isDeleted = /^\d{1,18}$/.test(id) && await scheduler.unschedule(id, { userId: user.id });
    // The answer is the same for an unknown id and another user's schedule, so that ids cannot be probed.
    if (!isDeleted) {
      throw new Problem(404, "not_found", "id: there is no schedule of yours with this id");
    }
    return c.json({ removed: true });
  });
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
