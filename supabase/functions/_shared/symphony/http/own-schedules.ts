/** Routes for a user's own schedules: list, show, change and delete. */

import type { Hono } from "hono";
import { z } from "zod";
import { isId } from "../database/ids.ts";
import { showOwnSchedule } from "../database/user-schedules.ts";
import type { Messenger } from "../messenger.ts";
import type { Schedule } from "../scheduler/schedule.ts";
import { readCheckedQuery, readJson } from "./body.ts";
import { authenticateUser } from "./caller.ts";
import { cursorField, limitField } from "./field-schemas.ts";
import { changeForUser, noSuchSchedule, ownScheduleChanges } from "./schedule-changes.ts";

const query = z.strictObject({ limit: limitField(200), cursor: cursorField.default("0") });

const INSTEAD = "/schedules of the management API";

/**
 * Adds `GET /schedules`, and `GET`, `PATCH` and `DELETE /schedules/:id`. All of them see only the schedules that the
 * calling user made.
 */
export function addOwnSchedules(app: Hono, messenger: Messenger): void {
  const { scheduler, supabase } = messenger;

  app.get("/schedules", async (c) => {
    const { user } = await authenticateUser(c.req.raw, INSTEAD);
    const { limit, cursor: after } = readCheckedQuery(c, query);
    const { schedules, next } = await scheduler.listOfUser(user.id, { after, limit });
    return c.json({ schedules: schedules.map(toOwn), next });
  });

  app.get("/schedules/:id", async (c) => {
    const { user } = await authenticateUser(c.req.raw, INSTEAD);
    const found = await showOwnSchedule(supabase, user.id, c.req.param("id"));
    if (!found) throw noSuchSchedule();
    return c.json(toOwn(found.schedule));
  });

  app.patch("/schedules/:id", async (c) => {
    const caller = await authenticateUser(c.req.raw, INSTEAD);
    const body = await readJson(c, () => ownScheduleChanges);
    return c.json(toOwn(await changeForUser(messenger, caller, c.req.param("id"), body)));
  });

  app.delete("/schedules/:id", async (c) => {
    const { user } = await authenticateUser(c.req.raw, INSTEAD);
    const id = c.req.param("id");
    const isDeleted = isId(id) && await scheduler.unschedule(id, { userId: user.id });
    if (!isDeleted) throw noSuchSchedule();
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
