/** Settings of an object as the texts of a form, and as the API takes them. Pure. */

/** How one setting is edited. */
export interface FormField {
  /** Name in the API. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /**
   * `number` and `percent`: digits; `duration`: `90s`, `5m`, `1h`, in ms for the API; `words`: several, apart by
   * spaces, commas or lines; `secret`: a text that is not shown; `choice`: one of `choices`.
   */
  readonly kind: "text" | "secret" | "words" | "number" | "percent" | "duration" | "choice";
  /** `required`: a new object needs it; `optional`: an empty text removes it. Default: neither. */
  readonly presence?: "required" | "optional";
  /** The form's unit in the API's: 1,000 for seconds. Default 1. */
  readonly unit?: number;
  /** Values of a choice and their words. */
  readonly choices?: readonly (readonly [value: string, words: string])[];
}

/** The name of an object that is to be made. */
export const NAME_FIELD: FormField = {
  name: "name",
  label: "Name",
  hint: "Letters, digits and _ . : -",
  kind: "text",
  presence: "required",
};

/** Texts by the names of their fields. */
export type FormTexts = Readonly<Record<string, string>>;

/** Values as the API takes them, and the problem of each field whose text cannot be one. */
export interface ReadTexts {
  readonly values: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, string>>;
}

/** An object's settings as its form shows them; a setting that it lacks or that is null is an empty text. */
export function toTexts(
  fields: readonly FormField[],
  object: object,
): FormTexts {
  const settings = object as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    fields.map((field) => [field.name, toText(field, settings[field.name])]),
  );
}

function toText({ kind, unit = 1 }: FormField, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (kind === "words" && Array.isArray(value)) return value.join(" ");
  if (kind === "percent") return String(Number((Number(value) * 100).toFixed(3)));
  if (kind === "duration") return toDuration(Number(value));
  return kind === "number" ? String(Number(value) / unit) : String(value);
}

/**
 * Reads the form: the settings that differ from those before.
 * @param before the texts that the form began with
 */
export function readTexts(
  fields: readonly FormField[],
  texts: FormTexts,
  before: FormTexts,
): ReadTexts {
  const values: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const text = (texts[field.name] ?? "").trim();
    if (text === (before[field.name] ?? "").trim()) continue;
    if (text === "" && field.kind !== "choice") {
      if (field.presence === "optional") values[field.name] = null;
      else errors[field.name] = `has to be ${KINDS[field.kind]}`;
      continue;
    }
    const value = toValue(field, text);
    if (value === undefined) errors[field.name] = problemOf(field);
    else values[field.name] = value;
  }
  return { values, errors };
}

/** Whether a required field is still empty. */
export function isIncomplete(fields: readonly FormField[], texts: FormTexts): boolean {
  return fields.some(({ name, presence }) =>
    presence === "required" && (texts[name] ?? "").trim() === ""
  );
}

const KINDS: Readonly<Record<FormField["kind"], string>> = {
  text: "a text",
  secret: "a text",
  words: "at least one",
  number: "a whole number",
  percent: "a number from 0 to 100",
  duration: "a duration such as 90s, 5m, 1h or 7d",
  choice: "chosen",
};

function problemOf({ kind, unit, presence }: FormField): string {
  const kindWords = kind === "number" && unit !== undefined ? "a number" : KINDS[kind];
  return `has to be ${kindWords}${presence === "optional" ? ", or empty" : ""}`;
}

/** The value of a text; undefined: it cannot be one. */
function toValue({ kind, unit = 1 }: FormField, text: string): unknown {
  if (kind === "words") return text.split(/[\s,]+/).filter(Boolean);
  if (kind === "duration") return fromDuration(text);
  // An empty choice is the API's null: none of its values is chosen.
  if (kind === "choice") return text === "" ? null : text;
  if (kind === "text" || kind === "secret") return text;
  if (!/^\d{1,10}(\.\d{1,3})?$/.test(text)) return undefined;
  if (kind === "percent") return Number(text) <= 100 ? Number(text) / 100 : undefined;
  const value = Number(text) * unit;
  return Number.isInteger(Math.round(value * 1e6) / 1e6) ? Math.round(value) : undefined;
}

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** A number of ms in the largest unit that has no rest: `90s`, `5m`. */
function toDuration(ms: number): string {
  const [unit, length] = Object.entries(UNITS).find(([, length]) => ms > 0 && ms % length === 0) ??
    ["ms", 1];
  return `${ms / length}${unit}`;
}

function fromDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)$/.exec(text) ?? [];
  if (unit === undefined) return undefined;
  return Math.round(Number(count) * UNITS[unit as keyof typeof UNITS]);
}
