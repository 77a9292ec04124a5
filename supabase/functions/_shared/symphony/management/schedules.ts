/** Schedules: list, create, read, update, pause, resume, trigger, delete. */

import { z } from "@hono/zod-openapi";
import { listSchedules } from "../database/listed-schedules.ts";
import { toScheduleOptions } from "../http/schedule-body.ts";
import type { ScheduleChanges } from "../scheduler/schedule-options.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, text, toCursor } from "./query-fields.ts";
import { notFound, show, toJson, told } from "./schedule-answers.ts";
import { addForecasts } from "./schedule-forecasts.ts";
import { type ManagementParts, schedulerOf } from "./parts.ts";
import {
  newSchedule,
  schedule,
  scheduleChanges,
  scheduleQuery,
  scheduleSummary,
} from "./schedule-schemas.ts";

const params = z.object({ id });
const tag = "schedules";
const path = "/schedules/{id}";

/** Adds the endpoints of schedules. */
export function addSchedules(app: ManagementApp, parts: ManagementParts): void {
  // Paths such as /schedules/upcoming come before /schedules/{id}, which would take them.
  addForecasts(app, parts);
  addReading(app, parts);
  addCreation(app, parts);
  addChanges(app, parts);
  addControls(app, parts);
}

function addReading(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/schedules",
    operationId: "listSchedules",
    tag,
    summary: "Lists schedules by id, without payloads",
    query: scheduleQuery,
    answer: z.object({ schedules: z.array(scheduleSummary), next }),
  }, async ({ query: { type, cursor: afterId, limit, runs, ...filter } }) => {
    const schedules = await listSchedules(parts.supabase, {
      ...filter,
      ...{ messageType: type, afterId, maxSchedules: limit, maxRuns: runs },
    });
    const last = schedules.length === limit ? schedules.at(-1)?.id : null;
    return {
      schedules: toJson<z.input<typeof scheduleSummary>[]>(schedules),
      next: toCursor(last),
    };
  });

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getSchedule",
    tag,
    summary: "Shows a schedule with its payload",
    params,
    answer: schedule,
  }, ({ params, operator }) => show(schedulerOf(parts, operator), params.id));
}

function addCreation(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/schedules",
    operationId: "createSchedule",
    tag,
    summary: "Makes a schedule, or changes the one with its name",
    body: newSchedule,
    answer: schedule,
    statuses: { 201: "The schedule as it is stored" },
  }, async ({ body, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    const options = toScheduleOptions(body.schedule, body);
    const { type, payload } = body;
    const created = await told(
      () => scheduler.schedule({ type, payload }, options),
      ["schedule"],
    );
    return await show(scheduler, created);
  });
}

function addChanges(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "patch",
    path,
    operationId: "updateSchedule",
    tag,
    summary: "Changes the given options",
    params,
    body: scheduleChanges,
    answer: schedule,
  }, async ({ params, body, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    await told(() => scheduler.update(params.id, defined(body) as ScheduleChanges), []);
    return await show(scheduler, params.id);
  });

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "deleteSchedule",
    tag,
    summary: "Removes a schedule and the record of its runs, but not its messages",
    params,
    answer: z.object({ removed: z.boolean() }),
  }, async ({ params, operator }) => {
    const removed = await schedulerOf(parts, operator).unschedule(params.id);
    if (!removed) throw notFound(params.id);
    return { removed };
  });
}

function addControls(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: `${path}/pause`,
    operationId: "pauseSchedule",
    tag,
    summary: "Stops a schedule until it is resumed",
    params,
    body: z.strictObject({ reason: text(1000).optional() }),
    answer: schedule,
  }, async ({ params, body, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    await scheduler.pause(params.id, body.reason);
    return await show(scheduler, params.id);
  });

  addEndpoint(app, {
    method: "post",
    path: `${path}/resume`,
    operationId: "resumeSchedule",
    tag,
    summary: "Resumes a schedule from now",
    params,
    answer: schedule,
  }, async ({ params, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    await scheduler.resume(params.id);
    return await show(scheduler, params.id);
  });

  addEndpoint(app, {
    method: "post",
    path: `${path}/trigger`,
    operationId: "triggerSchedule",
    tag,
    summary: "Runs a schedule once now, paused or not",
    params,
    body: z.strictObject({
      count: z.boolean().default(false).openapi({ description: "Whether it counts as a run" }),
    }),
    answer: z.object({ messageId: id }),
    statuses: { 202: "The message was dispatched" },
  }, async ({ params, body, operator }) => ({
    messageId: await schedulerOf(parts, operator).trigger(params.id, body),
  }));
}

function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };
}
