/** Checks of arguments, before anything is sent. */

import { invalid } from "./errors.ts";

/**
 * Returns a value of a kind: null has none, and a list, a Map or a Date holds no options by name.
 * @throws MessengerError `invalid` for a value of another kind
 */
export function checked<Value>(
  value: Value,
  name = "options",
  kind: "Object" | "Array" = "Object",
): Value {
  if (({}).toString.call(value) === `[object ${kind}]`) return value;
  throw invalid([name], `has to be an ${kind}`);
}
