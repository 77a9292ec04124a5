/** The response's body, as far as an API client's error holds it. */

import { isInstance, listOf, readList, readProperty } from "../runtime/inspect.ts";

const BODY_KEYS = ["error", "data", "body", "rawError", "parameters", "extensions"];
const LIST_KEYS = ["errors", "details", "graphQLErrors"];
const MOST_ENTRIES = 10;
const MOST_BODIES = 100;

/**
 * Collects the error and every object in which clients keep the response's body or parts of it. The
 * members of an AggregateError are not included: they are errors of their own. Never throws.
 */
export function bodiesOf(error: unknown): object[] {
  if (isInstance(error, AggregateError)) return [error];
  const found = new Set<object>();
  const add = (value: unknown, depth: number): void => {
    if (typeof value !== "object" || value === null || found.has(value)) return;
    if (found.size >= MOST_BODIES) return;
    found.add(value);
    if (depth === 0) return;
    // Some APIs, such as Salesforce's, answer with a list of errors.
    for (const entry of listOf(value).slice(0, MOST_ENTRIES)) add(entry, depth - 1);
    for (const key of BODY_KEYS) add(readProperty(value, key), depth - 1);
    for (const key of LIST_KEYS) {
      for (const entry of readList(value, key).slice(0, MOST_ENTRIES)) add(entry, depth - 1);
    }
  };
  add(error, 3);
  add(readProperty(error, "response"), 3);
  return [...found];
}
