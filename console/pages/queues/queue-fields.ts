/** The settings of a queue, in the order of its form. */

import { type FormField, NAME_FIELD, toTexts } from "../../forms/form-fields.ts";

const NUMBERS: readonly FormField[] = [
  {
    name: "concurrency",
    label: "Concurrency",
    hint: "Messages that run at once; empty: no limit",
    kind: "number",
    presence: "optional",
  },
  {
    name: "groupConcurrency",
    label: "Concurrency of a group",
    hint: "Messages of one group that run at once",
    kind: "number",
  },
  {
    name: "rateLimit",
    label: "Rate limit",
    hint: "Messages that start within the period; empty: no limit",
    kind: "number",
    presence: "optional",
  },
  {
    name: "ratePeriodMs",
    label: "Period in seconds",
    hint: "Of the rate limit",
    kind: "number",
    unit: 1_000,
  },
  {
    name: "maxWorkers",
    label: "Ticks at once",
    hint: "Ticks that work on its backlog",
    kind: "number",
  },
  { name: "weight", label: "Weight", hint: "Its share of each claim", kind: "number" },
  {
    name: "leaseMs",
    label: "Lease in seconds",
    hint: "Empty: the worker's choice",
    kind: "number",
    presence: "optional",
    unit: 1_000,
  },
];

const OF_LANES: readonly FormField[] = [
  {
    name: "laneConcurrency",
    label: "Concurrency of a lane",
    hint: "Messages of one lane that run at once; empty: no limit",
    kind: "number",
    presence: "optional",
  },
  {
    name: "laneRateLimit",
    label: "Rate limit of a lane",
    hint: "Messages of one lane that start within the lane's period; empty: no limit",
    kind: "number",
    presence: "optional",
  },
  {
    name: "laneRatePeriodMs",
    label: "Lane's period in seconds",
    hint: "Of the rate limit of a lane",
    kind: "number",
    unit: 1_000,
  },
];

/** Fields of a queue that exists. */
export const QUEUE_FIELDS: readonly FormField[] = [...NUMBERS, {
  name: "runsOn",
  label: "Runs on",
  hint: "Ticks of the function, or resident workers only",
  kind: "choice",
  choices: [["tick", "ticks and workers"], ["worker", "workers only"]],
}, ...OF_LANES];

const LANE_HINTS: Readonly<Record<string, string>> = {
  concurrency: "Messages that run at once; empty: as its queue says",
  rateLimit: "Messages that start within the period; empty: as its queue says",
  ratePeriodMs: "Of the rate limit",
  weight: "Its share beside the other lanes",
};

/** Fields of a lane: all else is set for its queue. */
export const LANE_FIELDS: readonly FormField[] = NUMBERS.flatMap((field) => {
  const hint = LANE_HINTS[field.name];
  return hint === undefined ? [] : [{ ...field, hint }];
});

/** Fields of a queue that is to be made. */
export const NEW_QUEUE_FIELDS: readonly FormField[] = [NAME_FIELD, ...QUEUE_FIELDS];

/** The database's defaults. */
export const NEW_QUEUE = toTexts(QUEUE_FIELDS, {
  ...{ groupConcurrency: 1, ratePeriodMs: 1_000, maxWorkers: 1, weight: 1, runsOn: "tick" },
  laneRatePeriodMs: 1_000,
});
