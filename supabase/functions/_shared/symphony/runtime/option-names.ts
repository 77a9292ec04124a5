/** Names of options. An unknown name is refused, because a misspelled option would be ignored silently. */

import { builtInName, showValue } from "./inspect.ts";

/**
 * Checks the names of options.
 * @param prefix text before the option's name in an error
 * @throws RangeError if the options are no object, or one is unknown; the error offers a similar name
 */
export function checkNames(options: unknown, known: readonly string[], prefix = ""): void {
  checkIsOptions(options, prefix);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    throw new RangeError(
      `${prefix}${name}: no such option; ${
        meant ? `did you mean ${meant}?` : `there are ${known.join(", ")}`
      }`,
    );
  }
}

/**
 * Tells whether a value can hold options by their names. An array, a Map or a Date cannot: its entries would be
 * ignored silently.
 */
export function isOptions(value: unknown): value is object {
  return typeof value === "object" && value !== null && builtInName(value) === undefined;
}

/**
 * Checks that a value can hold options.
 * @param prefix text before the word "options" in the error
 * @throws RangeError if it is no object, or one of a built-in class such as Array, Map or Date
 */
export function checkIsOptions(value: unknown, prefix = ""): asserts value is object {
  if (isOptions(value)) return;
  throw new RangeError(`${prefix}options: have to be an object; got ${showValue(value)}`);
}

/** The known name that differs in case, signs or up to two letters; undefined if there is none. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = letters(name);
  return known.find((one) => letters(one) === wanted) ??
    known.find((one) => one.length > 3 && distance(wanted, letters(one)) <= 2);
}

/** Edit distance: letters added, removed, changed or swapped with their neighbour; 3 if it is larger than 2. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row++) {
    const costs = [row];
    rows.push(costs);
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      costs.push(Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
      ));
    }
  }
  return at(a.length, b.length);
}
