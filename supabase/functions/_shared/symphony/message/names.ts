/** Names and priorities: one check for HTTP, SQL results, code and schedules. */

const NAME = /^[A-Za-z0-9_.:-]+$/;

/**
 * Checks a name and returns it.
 * @throws RangeError that names the field
 */
export function checkName(value: unknown, field: string, maxLength: number): string {
  if (typeof value !== "string" || value.length > maxLength || !NAME.test(value)) {
    throw new RangeError(`${field}: has to be 1 to ${maxLength} letters, digits or _ . : -`);
  }
  return value;
}

const LANE = /^[A-Za-z0-9_.:-]{1,100}\/(?:[A-Za-z0-9_.:-]|%[0-9A-F]{2}){1,100}$/;

/**
 * Checks the name of a queue, or of a lane of one, and returns it.
 * @throws RangeError that names the field
 */
export function checkQueue(value: unknown, field: string): string {
  if (typeof value === "string" && LANE.test(value)) return value;
  return checkName(value, field, 100);
}

/**
 * Checks a priority and returns it.
 * @throws RangeError that names the field
 */
export function checkPriority(value: unknown, field: string): number {
  if (!Number.isInteger(value) || Number(value) < -1000 || Number(value) > 1000) {
    throw new RangeError(`${field}: has to be a whole number from -1000 to 1000`);
  }
  return Number(value);
}
