/** Checks of values that Postgres stores. A value that Postgres cannot keep is refused by name before. */

import { isClass, isGenerator, readProperty, showValue } from "./inspect.ts";

// The years 1 to 9999, which a Date's ISO form and a timestamptz write alike.
const FIRST_MOMENT = -62_135_596_800_000;
/** The last allowed moment, in ms since 1970: the end of the year 9999. */
export const LAST_MOMENT = 253_402_300_799_999;

/** Whether a value is a Date in the years 1 to 9999. */
export function isMoment(value: unknown): value is Date {
  const ms = value instanceof Date ? value.getTime() : NaN;
  return ms >= FIRST_MOMENT && ms <= LAST_MOMENT;
}

/**
 * Checks a moment and returns it in ms since 1970.
 * @throws RangeError that names the field, if the value is no Date in the years 1 to 9999
 */
export function checkMoment(value: unknown, field: string): number {
  if (isMoment(value)) return value.getTime();
  throw new RangeError(`${field}: has to be a valid Date in the years 1 to 9999`);
}

/**
 * Checks a key and returns it: 1 to 255 characters, no control characters, no halves of surrogate pairs.
 * @throws RangeError that names the field
 */
export function checkKey(value: unknown, field: string): string {
  if (typeof value !== "string" || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value)) {
    throw new RangeError(
      `${field}: has to be 1 to 255 characters, no control characters; got ${showValue(value)}`,
    );
  }
  return value;
}

/**
 * Refuses a generator function as a handler or hook, since calling one runs none of its body, and a class, since
 * calling one throws.
 * @throws RangeError that names the field
 */
export function checkPlainFunction(value: unknown, field: string): void {
  if (isGenerator(value)) {
    throw new RangeError(`${field}: has to be a plain or async function, no generator`);
  }
  if (!isClass(value)) return;
  const name = String(readProperty(value, "name") || "Handler").slice(0, 60);
  throw new RangeError(
    `${field}: has to be a plain or async function; got the class ${name}: give a function that calls ` +
      `a method of one, such as (...given) => new ${name}().handle(...given)`,
  );
}
