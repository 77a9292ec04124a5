/** Schedules: list, create, read, update, pause, resume, trigger, delete, preview, runs. */

import { z } from "@hono/zod-openapi";
import { NotFoundError } from "../message/errors.ts";
import { toScheduleOptions } from "../http/schedule-body.ts";
import { invalidRequest, toProblem } from "../http/problem.ts";
import type { ScheduleChanges } from "../scheduler/schedule-options.ts";
import type { Schedule } from "../scheduler/schedule.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, queryNumber, text, time, toCursor } from "./query-fields.ts";
import { type ManagementParts, schedulerOf } from "./parts.ts";
import {
  newSchedule,
  schedule,
  scheduleChanges,
  scheduleQuery,
  scheduleRun,
  scheduleSummary,
} from "./schedule-schemas.ts";

const params = z.object({ id });
const tag = "schedules";
const path = "/schedules/{id}";

/** Adds the endpoints of schedules. */
export function addSchedules(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts);
  addCreation(app, parts);
  addChanges(app, parts);
  addControls(app, parts);
  addForecasts(app, parts);
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
  }, async ({ query: { type, cursor: after, limit, ...filter }, operator }) => {
    const schedules = await schedulerOf(parts, operator).list({
      ...defined(filter),
      ...(type !== undefined && { messageType: type }),
      ...(after !== undefined && { after }),
      limit,
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

function addForecasts(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: `${path}/preview`,
    operationId: "previewSchedule",
    tag,
    summary: "The next planned times, as if the schedule were enabled",
    params,
    query: z.strictObject({ n: queryNumber(1, 100, 5) }),
    answer: z.object({ occurrences: z.array(time) }),
  }, async ({ params, query, operator }) => {
    const occurrences = await schedulerOf(parts, operator).preview(params.id, query.n);
    return { occurrences: occurrences.map((occurrence) => occurrence.toISOString()) };
  });

  addEndpoint(app, {
    method: "get",
    path: `${path}/runs`,
    operationId: "listScheduleRuns",
    tag,
    summary: "The latest runs, the newest first",
    params,
    query: z.strictObject({ limit: queryNumber(1, 200, 20) }),
    answer: z.object({ runs: z.array(scheduleRun) }),
  }, async ({ params, query, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    const [runs] = await Promise.all([
      scheduler.runs(params.id, query.limit),
      show(scheduler, params.id),
    ]);
    return { runs: toJson<z.input<typeof scheduleRun>[]>(runs) };
  });
}

async function show(scheduler: Scheduler, id: string): Promise<z.input<typeof schedule>> {
  const found: Schedule | null = await scheduler.get(id);
  if (!found) throw notFound(id);
  return toJson(found);
}

function notFound(id: string): NotFoundError {
  return new NotFoundError(`id: there is no schedule ${id}`);
}

/** Turns dates into text. The endpoint's schema checks the result. */
function toJson<Shown>(value: unknown): Shown {
  return JSON.parse(JSON.stringify(value));
}

function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };
}

// Fields that are beside `schedule` in a request body, and not inside it.
const BESIDE = new Set(["type", "payload", "queue", "priority", "groupKey"]);

/** Gives an error of the scheduler its path in the body: `config.at`, under `parent`. */
async function told<Answer>(
  act: () => Promise<Answer>,
  parent: readonly string[],
): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    const [, field, message] = error instanceof RangeError
      ? /^([\w.]+): (.*)$/s.exec(error.message) ?? []
      : [];
    const problem = toProblem(error);
    if (problem.status !== 400 || field === undefined || message === undefined) throw problem;
    const path = BESIDE.has(field) ? [field] : [...parent, ...field.split(".")];
    throw invalidRequest("invalid_request", [{ path, message }]);
  }
}
