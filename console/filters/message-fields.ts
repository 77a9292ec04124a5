/** The fields by which messages and dead letters are filtered, and a filter in words. */

import type { Filter, FilterField } from "./filter-fields.ts";

const ORIGIN: readonly FilterField[] = [
  { name: "groupKey", label: "group", hint: "group of ordered messages", kind: "text" },
  { name: "user", label: "user", hint: "id of the user who dispatched it", kind: "text" },
  { name: "createdFrom", label: "created-since", hint: "dispatched then or later", kind: "moment" },
  { name: "createdUntil", label: "created-before", hint: "dispatched before", kind: "moment" },
];
const ERROR: FilterField = {
  name: "error",
  label: "error",
  hint: "part of the last error's text",
  kind: "text",
};

/** Why messages are given up. */
export const REASONS = [
  "exhausted",
  "unrecoverable",
  "crashed",
  "invalid",
  "unknown_type",
  "expired",
  "cancelled",
  "interrupted",
] as const;

/** Fields of messages that wait or run. */
export const MESSAGE_FIELDS: readonly FilterField[] = [
  { name: "type", label: "type", hint: "message type", kind: "text", takesAnyText: true },
  { name: "queue", label: "queue", hint: "name of the queue", kind: "text" },
  ERROR,
  ...ORIGIN,
];

/** The status, which messages are filtered by in tabs above the list. */
export const STATUS_FIELD: FilterField = {
  name: "status",
  label: "status",
  hint: "whether it waits or runs",
  kind: "choice",
  choices: ["pending", "processing"],
};

/** Fields of dead letters. */
export const DEAD_LETTER_FIELDS: readonly FilterField[] = [
  { name: "type", label: "type", hint: "message type", kind: "text" },
  { name: "queue", label: "queue", hint: "name of the queue", kind: "text" },
  {
    name: "reason",
    label: "reason",
    hint: "why it was given up",
    kind: "choice",
    choices: REASONS,
  },
  { ...ERROR, takesAnyText: true },
  { name: "failedFrom", label: "since", hint: "failed then or later", kind: "moment" },
  { name: "failedUntil", label: "before", hint: "failed before", kind: "moment" },
  ...ORIGIN,
];

/**
 * Which messages a filter means, in words.
 * @param noun such as `dead letters`
 */
export function describeFilter(
  noun: string,
  fields: readonly FilterField[],
  filter: Filter,
): string {
  const parts = fields.filter(({ name }) => filter[name] !== undefined)
    .map(({ name, label }) => `${label} ${filter[name]}`);
  return parts.length === 0 ? `all ${noun}` : `${noun} with ${parts.join(", ")}`;
}
