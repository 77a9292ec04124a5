/** The suggestions of a filter bar while an operator types. */

import { type Filter, type FilterField, problemOf } from "./filter-fields.ts";

/** A suggestion: choosing it writes `text` into the bar, or sets the field if `sets` is given. */
export interface Suggestion {
  /** Text of the bar after it was chosen. */
  readonly text: string;
  /** The field and value that it sets; left out if the value is still to be typed. */
  readonly sets?: { readonly name: string; readonly value: string };
  /** The meaning of the field, or how often the value occurs. */
  readonly note: string;
}

/** A value that a field is known to have. */
export interface KnownValue {
  readonly value: string;
  readonly note?: string;
}

/** Known values by the names of their fields. */
export type KnownValues = Readonly<Record<string, readonly KnownValue[]>>;

/** Longest list of suggestions. */
const MOST = 10;
const MOMENTS: readonly KnownValue[] = [
  { value: "15m", note: "15 minutes ago" },
  { value: "1h", note: "an hour ago" },
  { value: "24h", note: "a day ago" },
  { value: "7d", note: "a week ago" },
  { value: "30d", note: "30 days ago" },
];

/**
 * Reads what was typed: `queue:mail`, or a text without a field's name.
 * @returns the field and the value so far; the field is null if none is named
 */
export function readTyped(
  fields: readonly FilterField[],
  typed: string,
): { field: FilterField | null; value: string } {
  const colon = typed.indexOf(":");
  const name = typed.slice(0, Math.max(0, colon)).trim().toLowerCase();
  const field = fields.find((one) => one.label.toLowerCase() === name || one.name === name);
  return field === undefined || colon < 0
    ? { field: null, value: typed.trim() }
    : { field, value: typed.slice(colon + 1).trim() };
}

/**
 * Suggests fields and values, the best first.
 * @param known values that occur; those of choices and moments are known anyway
 * @param filter what is set already
 * @param typed text of the bar
 */
export function suggest(
  fields: readonly FilterField[],
  known: KnownValues,
  filter: Filter,
  typed: string,
): Suggestion[] {
  const { field, value } = readTyped(fields, typed);
  if (field !== null) return valuesOf(field, known, value).slice(0, MOST);
  const free = fields.filter(({ name }) => filter[name] === undefined);
  if (value === "") return free.map(toField).slice(0, MOST);
  return [
    ...free.filter(({ label }) => rank(label, value) > 0).map(toField),
    ...free.filter(({ takesAnyText }) => takesAnyText).map((one) => toValue(one, { value })),
    ...free.filter(({ kind }) => kind !== "moment")
      .flatMap((one) => matching(valuesKnown(one, known), value).map((each) => toValue(one, each))),
  ].slice(0, MOST);
}

/**
 * The effect of Enter on a typed text of which no suggestion was chosen.
 * @returns the field and its value, or why it cannot be
 */
export function settle(
  fields: readonly FilterField[],
  typed: string,
): { name: string; value: string } | { problem: string } {
  const { field, value } = readTyped(fields, typed);
  const taken = field ?? fields.find(({ takesAnyText }) => takesAnyText);
  if (taken === undefined) {
    const labels = fields.map(({ label }) => label).join(", ");
    return { problem: `filter: begins with one of ${labels}, and a colon` };
  }
  const problem = problemOf(taken, value);
  return problem === null ? { name: taken.name, value } : { problem };
}

function valuesOf(field: FilterField, known: KnownValues, value: string): Suggestion[] {
  const values = matching(valuesKnown(field, known), value);
  const isNew = value !== "" && problemOf(field, value) === null &&
    !values.some((one) => one.value === value);
  return [...(isNew ? [{ value }] : []), ...values].map((one) => toValue(field, one));
}

function valuesKnown(field: FilterField, known: KnownValues): readonly KnownValue[] {
  if (field.kind === "moment") return MOMENTS;
  return field.choices?.map((value) => ({ value })) ?? known[field.name] ?? [];
}

function matching(values: readonly KnownValue[], typed: string): KnownValue[] {
  if (typed === "") return values.slice(0, MOST);
  return values.map((one) => ({ one, rank: rank(one.value, typed) }))
    .filter(({ rank }) => rank > 0)
    .sort((a, b) => b.rank - a.rank)
    .map(({ one }) => one);
}

/** How well a value fits: the same, begins with it, has it in it; 0 if it does not. */
function rank(value: string, typed: string): number {
  const [whole, part] = [value.toLowerCase(), typed.toLowerCase()];
  if (whole === part) return 3;
  if (whole.startsWith(part)) return 2;
  return whole.includes(part) ? 1 : 0;
}

function toField({ label, hint }: FilterField): Suggestion {
  return { text: `${label}:`, note: hint };
}

function toValue({ name, label, hint }: FilterField, { value, note }: KnownValue): Suggestion {
  return { text: `${label}:${value}`, sets: { name, value }, note: note ?? hint };
}
