/**
 * JSON without loss, in less code than the server's own (runtime/json.ts). It refuses the values that JSON would change
 * silently. The server refuses some more; a test holds the two together.
 */

import { invalid, isMessengerError, type Issue } from "./errors.ts";

/** Deepest nesting that the server takes. */
const MAX_DEPTH = 100;

/**
 * Copies a value into its JSON.
 * @param path place of the value
 * @throws MessengerError `invalid` for a value that JSON would change silently, such as NaN or a Map
 */
export function exact(value: unknown, path: Issue["path"] = []): unknown {
  const refuse = (message: string, cause?: unknown): never => {
    throw invalid(path, message, cause);
  };
  const inner = (key: string | number, item: unknown) =>
    [key, exact(item, [...path, key])] as const;
  try {
    if (typeof value === "number" && !(Number.isSafeInteger(value) || value % 1)) {
      refuse(`is no number that JSON keeps (was ${value}); give large integers as text`);
    }
    if (value === null || /^(str|num|bool)/.test(typeof value)) return value;
    if (typeof value !== "object") refuse(`cannot be written as JSON (was ${typeof value})`);
    const given = value as { readonly toJSON?: unknown };
    if (path.length > MAX_DEPTH) refuse("is nested too deep, or holds itself");
    if (typeof given.toJSON === "function") {
      const own = given.toJSON(String(path.at(-1) ?? ""));
      if (own === null && given instanceof Date) refuse("has to be a valid Date");
      return exact(own, path);
    }
    if (Array.isArray(given)) return Array.from(given, (item, place) => inner(place, item)[1]);
    const prototype = Object.getPrototypeOf(given);
    // A plain object's prototype has no prototype itself. This holds for objects of other realms too.
    if (prototype && Object.getPrototypeOf(prototype)) refuse("has to be a plain object");
    const properties = Object.entries(given).filter(([, property]) => property !== undefined);
    return Object.fromEntries(properties.map(([key, property]) => inner(key, property)));
  } catch (error) {
    // A getter, a toJSON or a proxy may throw.
    if (isMessengerError(error)) throw error;
    return refuse(`cannot be read: ${error}`, error);
  }
}
