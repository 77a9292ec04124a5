/** Converts schedules between SQL's rows and TypeScript's objects. */

import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import type {
  CatchUp,
  Overlap,
  ScheduleChanges,
  ScheduleTimes,
  WhilePaused,
} from "../scheduler/schedule-options.ts";
import { messageRow } from "./enqueue-body.ts";
import type { DisabledBy } from "../scheduler/own-schedule.ts";
import type { Advance } from "../scheduler/plan.ts";
import type {
  DueSchedule,
  ListedSchedule,
  Schedule,
  ScheduleChange,
  ScheduleDraft,
  ScheduleRun,
} from "../scheduler/schedule.ts";

/** A schedule as the SQL functions return it. */
export interface ScheduleRow {
  id: string;
  name: string | null;
  message_type: string;
  payload?: unknown;
  stamps?: Stamps | null;
  schedule_type: "once" | "cron" | "interval";
  cron: string | null;
  interval_ms: number | null;
  run_at: string | null;
  timezone: string;
  next_run_at: string | null;
  last_run_at: string | null;
  run_count: number;
  max_runs: number | null;
  start_at: string | null;
  end_at: string | null;
  catch_up: CatchUp;
  catch_up_limit: number | null;
  overlap: Overlap;
  while_paused: WhilePaused;
  jitter_ms: number;
  queue: string | null;
  priority: number | null;
  group_key: string | null;
  ttl_ms: number | null;
  enabled: boolean;
  disabled_by: DisabledBy | null;
  disabled_reason: string | null;
  failing_since: string | null;
  declared: boolean;
  created_at: string;
  updated_at: string;
}

/** A run as the SQL functions return it. */
export interface RunRow {
  occurrence: string;
  run: number | null;
  triggered: boolean;
  message_id: string | null;
  outcome: ScheduleRun["outcome"];
  reason: string | null;
  enqueued_at: string | null;
  finished_at: string | null;
}

/** Makes a schedule of a row. */
export function toSchedule(row: ScheduleRow): Schedule {
  return {
    ...toTimes(row),
    id: row.id,
    name: row.name,
    message: { type: row.message_type, payload: row.payload },
    timezone: row.timezone,
    nextRunAt: toDate(row.next_run_at),
    lastRunAt: toDate(row.last_run_at),
    runCount: row.run_count,
    maxRuns: row.max_runs,
    startAt: toDate(row.start_at),
    endAt: toDate(row.end_at),
    catchUp: row.catch_up,
    catchUpLimit: row.catch_up_limit,
    overlap: row.overlap,
    whilePaused: row.while_paused,
    jitter: row.jitter_ms,
    queue: row.queue,
    priority: row.priority,
    groupKey: row.group_key,
    ttl: row.ttl_ms,
    enabled: row.enabled,
    disabledBy: row.disabled_by,
    disabledReason: row.disabled_reason,
    failingSince: toDate(row.failing_since),
    declared: row.declared,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

/** Makes a schedule of a row without a payload. */
export function toListedSchedule(row: ScheduleRow): ListedSchedule {
  const { message: { type }, ...schedule } = toSchedule(row);
  return { ...schedule, message: { type } };
}

/** Makes a due schedule of a row. */
export function toDueSchedule(row: ScheduleRow): DueSchedule {
  return { ...toSchedule(row), stamps: row.stamps ?? {} };
}

/** Reads a row's times. A row that SQL edited may lack a value; the replacement fails the check of options. */
function toTimes(row: ScheduleRow): ScheduleTimes {
  switch (row.schedule_type) {
    case "once":
      return { type: "once", config: { at: toDate(row.run_at) ?? new Date(NaN) } };
    case "cron":
      return { type: "cron", config: { cron: row.cron ?? "" } };
    case "interval":
      return { type: "interval", config: { interval: row.interval_ms ?? 0 } };
  }
}

/** Makes a run of a row. */
export function toRun(row: RunRow): ScheduleRun {
  return {
    occurrence: new Date(row.occurrence),
    run: row.run,
    triggered: row.triggered,
    messageId: row.message_id,
    outcome: row.outcome,
    reason: row.reason,
    enqueuedAt: toDate(row.enqueued_at),
    finishedAt: toDate(row.finished_at),
  };
}

/** Makes an entry of messenger_advance_schedules. */
export function fromAdvance(advance: Advance) {
  const { schedule, plan, runs, failing, putOff } = advance;
  return {
    id: schedule.id,
    next_run_at: toText(plan.nextRunAt),
    occurrences: runs.map(({ occurrence, delayMs, message, failed }) => ({
      occurrence: toText(occurrence),
      delay_ms: delayMs,
      message: message && withoutPayload(message, schedule.message.payload),
      failed,
    })),
    failing,
    put_off_ms: putOff?.ms,
    missed: plan.missed && { ...plan.missed, occurrence: toText(plan.missed.occurrence) },
    note: plan.note && { ...plan.note, occurrence: behind(plan.note.at) },
    disabled_by: plan.disabled?.by,
    disabled_reason: plan.disabled?.reason,
    queue: schedule.queue,
    priority: schedule.priority,
    ttl_ms: schedule.ttl,
  };
}

/** A message as messenger_enqueue takes it, without the payload if that is the schedule's. */
export function withoutPayload(message: OutgoingMessage, ofSchedule: unknown) {
  const { payload, ...row } = messageRow(message);
  return JSON.stringify(payload) === JSON.stringify(ofSchedule) ? row : { ...row, payload };
}

/** Makes an entry of messenger_save_schedules. */
export function fromDraft({ definition, message, stamps, first }: ScheduleDraft) {
  const { times } = definition;
  return {
    name: definition.name,
    message_type: message.type,
    payload: message.payload,
    schedule_type: times.type,
    cron: times.type === "cron" ? times.cron : null,
    interval_ms: times.type === "interval" ? times.intervalMs : null,
    run_at: times.type === "once" ? toText(times.at) : null,
    timezone: definition.timezone,
    max_runs: definition.maxRuns,
    start_at: toText(definition.startAt),
    end_at: toText(definition.endAt),
    catch_up: definition.catchUp,
    catch_up_limit: definition.catchUpLimit,
    overlap: definition.overlap,
    while_paused: definition.whilePaused,
    jitter_ms: definition.jitterMs,
    queue: definition.queue,
    priority: definition.priority,
    group_key: definition.groupKey,
    ttl_ms: definition.ttlMs,
    stamps,
    ...(typeof first === "number" ? { next_run_at: toText(first) } : first),
  };
}

const TIMES = ["schedule_type", "cron", "interval_ms", "run_at"] as const;

/** The columns of each option. */
const COLUMNS = {
  payload: ["payload"],
  type: TIMES,
  config: TIMES,
  timezone: ["timezone"],
  maxRuns: ["max_runs"],
  startAt: ["start_at"],
  endAt: ["end_at"],
  catchUp: ["catch_up"],
  catchUpLimit: ["catch_up_limit"],
  overlap: ["overlap"],
  whilePaused: ["while_paused"],
  jitter: ["jitter_ms"],
  name: ["name"],
  queue: ["queue"],
  priority: ["priority"],
  groupKey: ["group_key"],
  ttl: ["ttl_ms"],
} as const satisfies Record<
  keyof ScheduleChanges,
  readonly Exclude<keyof ReturnType<typeof fromDraft>, "next_run_at">[]
>;

/** Makes an entry of messenger_save_schedules that changes some columns and states the values it assumed. */
export function fromChange({ id, draft, changed }: ScheduleChange) {
  const row = fromDraft(draft);
  const pick = (columns: readonly (keyof typeof row)[]) =>
    Object.fromEntries(columns.map((column) => [column, row[column]]));
  const columns = changed.flatMap<keyof typeof row>((option) => COLUMNS[option]);
  const { first } = draft;
  return {
    id,
    ...pick(columns),
    assumed: pick([...TIMES, "timezone", "start_at", "end_at"]),
    ...(typeof first === "number" ? { next_run_at: toText(first) } : first),
  };
}

/** A microsecond after a moment. Planned times are whole ms, so no run has this time. */
function behind(moment: number): string {
  return new Date(moment).toISOString().replace("Z", "001Z");
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** A moment as ISO 8601. @param moment ms since 1970 */
export function toText(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString();
}
