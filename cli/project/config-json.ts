/** Puts settings into config.json or config.jsonc and takes them out again, as text. */

import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { canonical, type Entry, valueAt, withValue } from "./config-entry.ts";
import { lineAt } from "./files.ts";
import { withoutProperty, withProperty } from "./json-text.ts";

const BOM = "\uFEFF";

/** A text that is no JSON. */
export class JsonTextError extends SyntaxError {
  /** @param line from 1 */
  constructor(message: string, readonly line: number) {
    super(message);
  }
}

/**
 * Parses JSON with comments and trailing commas.
 * @throws JsonTextError if it is none, or no object
 */
export function parseJsonc(text: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const body = text.replace(/^\uFEFF/, "");
  const value: unknown = parse(body, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    throw new JsonTextError(printParseErrorCode(error.error), lineAt(body, error.offset));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new JsonTextError("has to be an object", 1);
  }
  return value as Record<string, unknown>;
}

/** The text with the entries that it lacks; null where they cannot be inserted safely. */
export function addToJson(text: string, entries: readonly Entry[]): string | null {
  const before = parseJsonc(text);
  const missing = entries.filter(({ path }) => valueAt(before, path) === undefined);
  return edited(text, missing.map(({ path, value }) => [path, value]));
}

/** The text without the values at these paths; null where they cannot be taken out safely. */
export function removeFromJson(text: string, paths: readonly (readonly string[])[]): string | null {
  const before = parseJsonc(text);
  return edited(
    text,
    paths.filter((path) => valueAt(before, path) !== undefined).map((path) => [path, undefined]),
  );
}

/** The text with a value in the place of another. */
export function setInJson(text: string, path: readonly string[], value: string): string | null {
  return edited(text, [[path, value]]);
}

function edited(text: string, values: readonly [readonly string[], unknown][]): string | null {
  if (values.length === 0) return text;
  const hasMark = text.startsWith(BOM);
  let body = hasMark ? text.slice(1) : text;
  let expected = parseJsonc(text);
  try {
    for (const [path, value] of values) {
      expected = withValue(expected, path, value);
      body = value === undefined
        ? withoutProperty(body, outermost(body, path))
        : withProperty(body, path, value);
    }
  } catch {
    // The path leads through a value that is no object.
    return null;
  }
  const result = hasMark ? BOM + body : body;
  return canonical(parseJsonc(result)) === canonical(expected) ? result : null;
}

/** The path to remove: a table that would be left empty goes too. */
function outermost(text: string, path: readonly string[]): string[] {
  let end = path.length;
  const document = parseJsonc(text);
  while (end > 1 && Object.keys(valueAt(document, path.slice(0, end - 1)) ?? {}).length <= 1) end--;
  return path.slice(0, end);
}

/** The entries as a snippet of JSON, for people who insert them themselves. */
export function jsonSnippet(entries: readonly Entry[]): string {
  const document = entries.reduce<Record<string, unknown>>(
    (all, { path, value }) => withValue(all, path, value),
    {},
  );
  return JSON.stringify(document, null, 2);
}
