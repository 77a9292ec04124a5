/** The response's body, as far as an API client's error holds it. */

import { isInstance, listOf, readList, readProperty } from "../runtime/inspect.ts";

const BODY_KEYS = ["error", "data", "body", "rawError", "parameters", "extensions"];
/** `CancellationReasons` are DynamoDB's, one for each write of a transaction. */
const LIST_KEYS = ["errors", "details", "statusDetails", "graphQLErrors", "CancellationReasons"];
/** Properties that may hold the body, or an error, as JSON text: Google's clients and Vercel's AI SDK do. */
const TEXT_KEYS = ["message", "error", "data", "body", "responseBody"];
const LONGEST_TEXT = 50_000;
/** Google's clients put JSON text into JSON text. */
const MOST_NESTED_TEXTS = 3;
const MOST_ENTRIES = 10;
const MOST_BODIES = 100;

/**
 * Collects the error and every object in which clients keep the response's body or parts of it. The
 * members of an AggregateError are not included: they are errors of their own. Never throws.
 */
export function bodiesOf(error: unknown): object[] {
  if (isInstance(error, AggregateError)) return [error];
  const found = new Set<object>();
  const add = (value: unknown, depth: number, texts: number): void => {
    if (typeof value !== "object" || value === null || found.has(value)) return;
    if (found.size >= MOST_BODIES) return;
    found.add(value);
    if (depth === 0) return;
    // Some APIs, such as Salesforce's, answer with a list of errors.
    for (const entry of listOf(value).slice(0, MOST_ENTRIES)) add(entry, depth - 1, texts);
    for (const key of BODY_KEYS) add(readProperty(value, key), depth - 1, texts);
    for (const key of LIST_KEYS) {
      for (const entry of readList(value, key).slice(0, MOST_ENTRIES)) add(entry, depth - 1, texts);
    }
    if (texts === 0) return;
    for (const key of TEXT_KEYS) add(parsed(readProperty(value, key)), depth, texts - 1);
  };
  add(error, 3, MOST_NESTED_TEXTS);
  add(readProperty(error, "response"), 3, MOST_NESTED_TEXTS);
  return [...found];
}

/** The JSON in a text, from its first object or list on; undefined if there is none. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string" || text.length > LONGEST_TEXT) return undefined;
  // Most texts hold no JSON, and the searches below took a third of the time of judging long ones.
  if (!text.includes("{")) return undefined;
  const start = text.search(/\{\s*"|\[\s*\{/);
  const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  if (start < 0 || end < start) return undefined;
  try {
    return JSON.parse(text.slice(start, end + 1));
  } catch {
    return undefined;
  }
}
