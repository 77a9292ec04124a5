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

/** Fields of a queue that exists. */
export const QUEUE_FIELDS: readonly FormField[] = [...NUMBERS, {
  name: "runsOn",
  label: "Runs on",
  hint: "Ticks of the function, or resident workers only",
  kind: "choice",
  choices: [["tick", "ticks and workers"], ["worker", "workers only"]],
}];

/** Fields of a queue that is to be made. */
export const NEW_QUEUE_FIELDS: readonly FormField[] = [NAME_FIELD, ...QUEUE_FIELDS];

/** The database's defaults. */
export const NEW_QUEUE = toTexts(QUEUE_FIELDS, {
  ...{ groupConcurrency: 1, ratePeriodMs: 1_000, maxWorkers: 1, weight: 1, runsOn: "tick" },
});
