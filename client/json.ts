/**
 * JSON without loss: refuses the values that JSON would change silently. The server refuses some more, in
 * runtime/json.ts.
 */

import { invalid, type Issue } from "./errors.ts";

/**
 * Returns the JSON of a request's body.
 * @throws MessengerError `invalid` for a value that JSON would change, such as NaN, a Map, or one that holds itself
 */
export function exactJson(body: unknown): string {
  const paths = new Map<unknown, Issue["path"]>();
  let path!: Issue["path"];
  let kind!: string;
  try {
    return JSON.stringify(body, function (this: { readonly [key: string]: unknown }, key, value) {
      const above = paths.get(this);
      const isItem = Array.isArray(this);
      path = above ? [...above, isItem ? +key : key] : [];
      kind = typeof value;
      const isKept = kind === "number"
        ? value % 1 || Math.abs(value) < 2 ** 53
        : kind === "object"
        ? isPlain(value ?? this[key])
        : kind === "undefined"
        ? !isItem
        : /str|bool/.test(kind);
      if (!isKept) throw Error();
      paths.set(value, path);
      return value;
    });
  } catch (error) {
    throw invalid(path, `JSON cannot keep this ${kind}`, error);
  }
}

/** Whether JSON keeps an object. The JSON of an invalid Date is null. */
function isPlain(value: unknown): boolean {
  const prototype = value && Object.getPrototypeOf(value);
  // Throws for symbols, which JSON leaves out.
  const keys = Reflect.ownKeys({ ...value as object }).join("");
  // A plain object's prototype has no prototype itself. This holds for objects of other realms too.
  return Array.isArray(value)
    // Its other properties would be left out.
    ? !/\D/.test(keys)
    : !(prototype && Object.getPrototypeOf(prototype));
}
