/** The texts of the form of a schedule, and the request that they make. Pure. */

import type { Schemas } from "../../api/api-client.ts";
import type { operations } from "../../api/openapi.gen.ts";

/** The request that makes a schedule. */
export type NewSchedule = BodyOf<"createSchedule">;

/** The request that changes one. */
export type ScheduleChanges = BodyOf<"updateSchedule">;

type BodyOf<Name extends "createSchedule" | "updateSchedule"> = NonNullable<
  operations[Name]["requestBody"]
>["content"]["application/json"];

/** How a schedule runs. */
export type Kind = "cron" | "interval" | "once";

/** The texts of all fields; empty: the option is not set. */
export interface ScheduleTexts {
  readonly type: string;
  readonly payload: string;
  readonly name: string;
  readonly kind: Kind;
  readonly cron: string;
  readonly timezone: string;
  readonly interval: string;
  readonly at: string;
  readonly startAt: string;
  readonly endAt: string;
  readonly maxRuns: string;
  readonly catchUp: string;
  readonly catchUpLimit: string;
  readonly overlap: string;
  readonly whilePaused: string;
  readonly jitter: string;
  readonly ttl: string;
  readonly queue: string;
  readonly priority: string;
  readonly groupKey: string;
}

/** The name of a field. */
export type ScheduleField = keyof ScheduleTexts;

/** Problems that the page itself finds, by field. */
export type FieldErrors = Partial<Record<ScheduleField, string>>;

/** A new schedule. */
export const NEW_SCHEDULE: ScheduleTexts = {
  type: "",
  payload: "{}",
  name: "",
  kind: "cron",
  cron: "0 9 * * *",
  timezone: "UTC",
  interval: "5m",
  at: "",
  startAt: "",
  endAt: "",
  maxRuns: "",
  catchUp: "latest",
  catchUpLimit: "",
  overlap: "allow",
  whilePaused: "enqueue",
  jitter: "",
  ttl: "",
  queue: "",
  priority: "",
  groupKey: "",
};

/** The texts of a stored schedule. */
export function textsOf(schedule: Schemas["Schedule"]): ScheduleTexts {
  const { type: kind, config, message } = schedule;
  const text = (value: unknown) => value === null || value === undefined ? "" : String(value);
  return {
    ...NEW_SCHEDULE,
    type: message.type,
    payload: JSON.stringify(message.payload, null, 2) ?? "null",
    name: text(schedule.name),
    kind,
    ...(kind === "cron" && { cron: text(config.cron) }),
    ...(kind === "interval" && { interval: durationText(Number(config.interval)) }),
    ...(kind === "once" && { at: inputOf(text(config.at)) }),
    timezone: schedule.timezone,
    startAt: inputOf(schedule.startAt),
    endAt: inputOf(schedule.endAt),
    maxRuns: text(schedule.maxRuns),
    catchUp: schedule.catchUp,
    catchUpLimit: text(schedule.catchUpLimit),
    overlap: schedule.overlap,
    whilePaused: schedule.whilePaused,
    jitter: schedule.jitter > 0 ? durationText(schedule.jitter) : "",
    ttl: schedule.ttl === null ? "" : durationText(schedule.ttl),
    queue: text(schedule.queue),
    priority: text(schedule.priority),
    groupKey: text(schedule.groupKey),
  };
}

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const;

/** A duration as the API takes it: `5m`, `90s`, `1500ms`. */
export function durationText(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms > 0 && ms % length === 0) ?? ["ms", 1];
  return `${ms / length}${unit}`;
}

/** The value of an input of a local time for a moment; empty for none. */
export function inputOf(moment: string | null): string {
  const date = new Date(moment ?? NaN);
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, local.slice(17, 19) === "00" ? 16 : 19);
}

/** The moment of such an input, in UTC; undefined for an empty or broken one. */
export function momentOf(input: string): string | undefined {
  const date = new Date(input);
  return input && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined;
}

/** Finds what the page can tell without the API. */
export function errorsOf(texts: ScheduleTexts): FieldErrors {
  const errors: FieldErrors = {};
  if (texts.type.trim() === "") errors.type = "is required";
  if (parsePayload(texts.payload) === undefined) errors.payload = "has to be JSON";
  if (texts.kind === "cron" && texts.cron.trim() === "") errors.cron = "is required";
  if (texts.kind === "interval" && texts.interval.trim() === "") errors.interval = "is required";
  if (texts.kind === "once" && momentOf(texts.at) === undefined) errors.at = "is required";
  for (const field of ["maxRuns", "catchUpLimit", "priority"] as const) {
    if (texts[field] !== "" && !/^-?\d+$/.test(texts[field].trim())) {
      errors[field] = "has to be a whole number";
    }
  }
  return errors;
}

function parsePayload(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** When it runs, as the API takes it. */
function timesOf(texts: ScheduleTexts) {
  switch (texts.kind) {
    case "cron":
      return { type: "cron" as const, config: { cron: texts.cron.trim() } };
    case "interval":
      return { type: "interval" as const, config: { interval: texts.interval.trim() } };
    case "once":
      return { type: "once" as const, config: { at: momentOf(texts.at) ?? "" } };
  }
}

/** Options of the schedule; null where a field is empty. */
function settingsOf(texts: ScheduleTexts) {
  const text = (value: string) => value.trim() || null;
  const number = (value: string) => value.trim() === "" ? null : Number(value);
  const isOnce = texts.kind === "once";
  return {
    name: text(texts.name),
    timezone: texts.kind === "cron" ? texts.timezone.trim() || "UTC" : null,
    startAt: momentOf(texts.startAt) ?? null,
    endAt: momentOf(texts.endAt) ?? null,
    maxRuns: isOnce ? null : number(texts.maxRuns),
    catchUp: texts.catchUp,
    catchUpLimit: texts.catchUp === "all" ? number(texts.catchUpLimit) : null,
    overlap: isOnce ? null : texts.overlap,
    whilePaused: texts.whilePaused,
    jitter: text(texts.jitter),
    ttl: text(texts.ttl),
  };
}

/** Options of the messages; null where a field is empty. */
function messageOptionsOf({ queue, priority, groupKey }: ScheduleTexts) {
  return {
    queue: queue.trim() || null,
    priority: priority.trim() === "" ? null : Number(priority),
    groupKey: groupKey.trim() || null,
  };
}

function given(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** The schedule of a request that makes or previews one. */
export function scheduleOf(texts: ScheduleTexts): NewSchedule["schedule"] {
  return { ...given(settingsOf(texts)), ...timesOf(texts) } as NewSchedule["schedule"];
}

/** The request that makes the schedule. The texts have no errors. */
export function newScheduleOf(texts: ScheduleTexts): NewSchedule {
  return {
    type: texts.type.trim(),
    payload: parsePayload(texts.payload)?.value,
    ...given(messageOptionsOf(texts)),
    schedule: scheduleOf(texts),
  };
}

/** The request that changes what differs from before; an option that was emptied is removed. */
export function changesOf(texts: ScheduleTexts, before: ScheduleTexts): ScheduleChanges {
  const [now, then] = [texts, before].map((one) => ({
    ...settingsOf(one),
    ...messageOptionsOf(one),
  }));
  const changed = Object.entries(now ?? {}).filter(([name, value]) =>
    value !== Object.entries(then ?? {}).find(([other]) => other === name)?.[1]
  );
  const [times, timesBefore] = [timesOf(texts), timesOf(before)];
  return {
    ...Object.fromEntries(changed),
    ...(texts.payload !== before.payload && { payload: parsePayload(texts.payload)?.value }),
    ...(JSON.stringify(times) !== JSON.stringify(timesBefore) && times),
  };
}
