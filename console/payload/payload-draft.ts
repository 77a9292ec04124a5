/** A payload that is edited: as a text of JSON, or field by field, with the issues of its schema at their places. */

import type { Json } from "./json-rows.ts";

/** A field of the payload, as the form shows it. */
export interface DraftField {
  readonly name: string;
  /** `text` is typed as it is; `json` is JSON, such as a number or a list; `flag` is true or false. */
  readonly kind: "text" | "json" | "flag";
  /** Text of its value; null if the payload does not have the field. */
  readonly text: string | null;
  readonly hint: string;
}

/** A problem of the payload at its place. */
export interface PlacedIssue {
  /** Keys and indexes within the payload, from the outside in. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The value of a text, or why it is no JSON. */
export type ReadDraft = { readonly value: Json } | { readonly problem: string };

/** Most fields, and longest text of one, for which there is a form. */
const MOST_FIELDS = 40;
const LONGEST_FIELD = 20_000;

/** A payload as the text that is edited. */
export function draftOf(payload: unknown): string {
  return JSON.stringify(payload, null, 2) ?? "";
}

/** Reads the text. */
export function readDraft(text: string): ReadDraft {
  if (text.trim() === "") return { problem: "payload: is empty; has to be JSON" };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `payload: is no JSON${placeOf(text, String(error))}` };
  }
}

/** Engines name the place in different words, and some not at all. */
function placeOf(text: string, error: string): string {
  const position = /position (\d+)/.exec(error)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

/**
 * The fields of a form.
 * @param schema JSON schema of the type's payload, for fields that the payload lacks; of any content
 * @returns null if the payload is no object, or too large for a form
 */
export function fieldsOf(value: Json, schema: unknown): DraftField[] | null {
  if (!isRecord(value)) return null;
  const properties = isRecord(schema) && isRecord(schema["properties"]) ? schema["properties"] : {};
  const names = [...new Set([...Object.keys(value), ...Object.keys(properties)])];
  if (names.length > MOST_FIELDS) return null;
  const fields = names.map((name): DraftField => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const field = Object.hasOwn(value, name) ? value[name] as Json : undefined;
    return { name, hint: hintOf(property), ...kindOf(field, property) };
  });
  return fields.some(({ text }) => text !== null && text.length > LONGEST_FIELD) ? null : fields;
}

function kindOf(field: Json | undefined, property: unknown): Pick<DraftField, "kind" | "text"> {
  if (field === undefined) {
    const type = isRecord(property) ? property["type"] : undefined;
    return { kind: type === "string" ? "text" : type === "boolean" ? "flag" : "json", text: null };
  }
  if (typeof field === "string") return { kind: "text", text: field };
  if (typeof field === "boolean") return { kind: "flag", text: String(field) };
  return { kind: "json", text: draftOf(field) };
}

function hintOf(property: unknown): string {
  if (!isRecord(property)) return "";
  const { description, type, format, enum: values } = property;
  const options = Array.isArray(values) ? `one of ${values.map(String).join(", ")}` : "";
  return [description, options || type, format].filter((one) => typeof one === "string" && one)
    .join(", ").slice(0, 200);
}

/**
 * Sets a field of a payload, or removes it if the text is null.
 * @returns the payload with the field; a problem if the text of a `json` field is no JSON
 */
export function withDraftField(
  payload: Json,
  { name, kind }: Pick<DraftField, "name" | "kind">,
  text: string | null,
): ReadDraft {
  const entries = Object.entries(isRecord(payload) ? payload : {}) as [string, Json][];
  if (text === null) return { value: Object.fromEntries(entries.filter(([key]) => key !== name)) };
  const read = kind === "text" ? { value: text } : readDraft(text);
  if ("problem" in read) return { problem: read.problem.replace("payload", name) };
  const isThere = entries.some(([key]) => key === name);
  const changed = entries.map((
    [key, old],
  ): [string, Json] => [key, key === name ? read.value : old]);
  return { value: Object.fromEntries(isThere ? changed : [...changed, [name, read.value]]) };
}

/**
 * The issues of the payload among those of a refused request.
 * @param issues with paths from the request's body
 */
export function payloadIssues(issues: readonly PlacedIssue[]): PlacedIssue[] {
  return issues.filter(({ path }) => path[0] === "payload" || path.length === 0)
    .map(({ path, message }) => ({ path: path.slice(1), message }));
}

/** Texts of the issues of a field of the form, each with its place within the field. */
export function issuesOf(issues: readonly PlacedIssue[], name: string): string[] {
  return issues.filter(({ path }) => String(path[0] ?? "") === name)
    .map(({ path, message }) => [...path.slice(1), message].join(": "));
}

/**
 * Finds a value in a text of JSON.
 * @returns where the value of the path begins, or of the longest part of the path that exists
 */
export function offsetOf(text: string, path: readonly (string | number)[]): number {
  const wanted = path.map(String);
  /** For each open container: its next key, or null while it is expected. */
  const keys: (string | number | null)[] = [];
  let best = { length: -1, offset: 0 };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "}" || token === "]") keys.pop();
    else if (token === ",") keys.push(nextKey(keys.pop() ?? null));
    else if (token !== ":") {
      if (keys.at(-1) === null && keys.length > 0) {
        keys.splice(-1, 1, unquote(token));
        continue;
      }
      const isOnWay = keys.length <= wanted.length && keys.length > best.length &&
        keys.every((key, depth) => String(key) === wanted[depth]);
      if (isOnWay) best = { length: keys.length, offset: index };
      if (token === "{") keys.push(null);
      if (token === "[") keys.push(0);
    }
  }
  return best.offset;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

function nextKey(key: string | number | null): number | null {
  return typeof key === "number" ? key + 1 : null;
}

function unquote(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    return token;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
