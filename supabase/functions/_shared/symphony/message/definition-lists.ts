/** Lists of definitions: an entry that is none is refused by its place. */

import { readProperty, showValue } from "../runtime/inspect.ts";

/**
 * Checks a list of definitions.
 * @param field name of the list in an error
 * @param isRight tells what the maker returns from other values
 * @param maker function that makes them, for the error
 * @throws RangeError if the list is no array, or an entry no definition
 */
export function checkDefinitions(
  list: unknown,
  field: string,
  isRight: (one: unknown) => boolean,
  maker: string,
): asserts list is readonly unknown[] {
  if (!Array.isArray(list)) {
    throw new RangeError(
      `${field}: has to be an array of what ${maker} returns; got ${showValue(list)}`,
    );
  }
  const wrong = list.findIndex((one) => !isRight(one));
  if (wrong === -1) return;
  throw new RangeError(
    `${field}: ${wrong + 1}: has to be what ${maker} returns; got ${showValue(list[wrong])}`,
  );
}

/**
 * Reads the type of the definition that a dispatch names.
 * @param field name of the argument in an error
 * @throws RangeError if it is no definition
 */
export function typeOf(definition: unknown, field = "definition"): string {
  const type = readProperty(definition, "type");
  if (typeof type === "string") return type;
  throw new RangeError(
    `${field}: has to be a message's definition; got ${showValue(definition)}`,
  );
}
