/** When schedules run: of all of them within a time, of one, and of one that is not saved; and their record of runs. */

import { z } from "@hono/zod-openapi";
import { databaseClock } from "../database/bus-state.ts";
import { listUpcoming } from "../database/listed-schedules.ts";
import { toScheduleOptions } from "../http/schedule-body.ts";
import { invalidRequest } from "../http/problem.ts";
import { previewDraft } from "../scheduler/preview.ts";
import { localTime } from "../scheduler/time-zone.ts";
import { type Forecast, forecast } from "../scheduler/forecast.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { type ManagementParts, schedulerOf } from "./parts.ts";
import { cursor, exactMoment, id, next, queryNumber, toCursor } from "./query-fields.ts";
import { notFound, show, toJson, told } from "./schedule-answers.ts";
import {
  plannedTimes,
  schedulePreview,
  scheduleRun,
  upcomingQuery,
  upcomingSchedule,
} from "./schedule-schemas.ts";

const params = z.object({ id });
const tag = "schedules";
const path = "/schedules/{id}";

/** Longest time that a forecast covers, in ms. */
const LONGEST_FORECAST_MS = 32 * 86_400_000;

/** Adds the endpoints of planned times and of the record of runs. */
export function addForecasts(app: ManagementApp, parts: ManagementParts): void {
  addUpcoming(app, parts);
  addPreviews(app, parts);
  addRuns(app, parts);
}

function addRuns(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: `${path}/runs`,
    operationId: "listScheduleRuns",
    tag,
    summary: "The latest runs, the newest first",
    params,
    query: z.strictObject({ limit: queryNumber(1, 200, 20), cursor: cursor(exactMoment) }),
    answer: z.object({ runs: z.array(scheduleRun), next }),
  }, async ({ params, query, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    const [runs] = await Promise.all([
      scheduler.runs(params.id, query.limit, query.cursor ? new Date(query.cursor) : undefined),
      show(scheduler, params.id),
    ]);
    const last = runs.length === query.limit ? runs.at(-1) : undefined;
    return {
      runs: toJson<z.input<typeof scheduleRun>[]>(runs),
      next: toCursor(last?.occurrence.toISOString()),
    };
  });
}

function addPreviews(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/schedules/preview",
    operationId: "previewNewSchedule",
    tag,
    summary: "The next planned times of a schedule that is not saved",
    description: "Checks the schedule as `POST /schedules` does, and saves nothing.",
    body: schedulePreview,
    answer: plannedTimes,
  }, async ({ body: { schedule, n } }) => {
    const options = toScheduleOptions(schedule, {});
    const now = await databaseClock(parts.supabase);
    const { timezone, occurrences } = await told(
      () => Promise.resolve(previewDraft(options, n, now)),
      ["schedule"],
    );
    return toPlannedTimes(timezone, occurrences);
  });

  addEndpoint(app, {
    method: "get",
    path: `${path}/preview`,
    operationId: "previewSchedule",
    tag,
    summary: "The next planned times, as if the schedule were enabled",
    params,
    query: z.strictObject({ n: queryNumber(1, 100, 5) }),
    answer: plannedTimes,
  }, async ({ params, query, operator }) => {
    const scheduler = schedulerOf(parts, operator);
    const stored = await scheduler.get(params.id);
    if (!stored) throw notFound(params.id);
    return toPlannedTimes(stored.timezone, await scheduler.preview(params.id, query.n));
  });
}

function toPlannedTimes(timezone: string, occurrences: readonly Date[]) {
  return {
    timezone,
    occurrences: occurrences.map((occurrence) => occurrence.toISOString()),
    local: occurrences.map((occurrence) => localTime(occurrence, timezone)),
  };
}

function addUpcoming(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/schedules/upcoming",
    operationId: "listUpcomingRuns",
    tag,
    summary: "Planned times of the enabled schedules within a time, the next schedule first",
    description: "From now on: no time before the database's clock. `next` tells whether further " +
      "schedules run within the time.",
    query: upcomingQuery,
    answer: z.object({ schedules: z.array(upcomingSchedule), next }),
  }, async ({ query: { from = new Date(), until: given, n, limit, cursor } }) => {
    const until = given ?? new Date(from.getTime() + 86_400_000);
    const length = until.getTime() - from.getTime();
    if (length <= 0 || length > LONGEST_FORECAST_MS) {
      const message = "has to come after from, by 32 days at most";
      throw invalidRequest("invalid_request", [{ path: ["until"], message }]);
    }
    const [afterAt, afterId] = cursor ?? [];
    const page = await listUpcoming(supabase, { until, afterAt, afterId, maxSchedules: limit });
    const { now } = page;
    const schedules = page.schedules.map((listed) => {
      const { id, name, type, config, timezone, message } = listed;
      const found = forecast(listed, { from: from.getTime(), until: until.getTime(), now, n });
      return { id, name, type, config, timezone, message, ...found };
    });
    const planned = schedules.filter(isPlanned).sort((one, other) => timeOf(one) - timeOf(other));
    return {
      schedules: toJson<z.input<typeof upcomingSchedule>[]>(planned),
      next: toCursor(page.next),
    };
  });
}

/** The first planned time; schedules that cannot be read come first. */
function timeOf({ occurrences: [first] }: Forecast): number {
  return first?.getTime() ?? 0;
}

/** A schedule that cannot be read is shown with its problem. */
function isPlanned({ occurrences, problem }: Forecast): boolean {
  return occurrences.length > 0 || problem !== null;
}
