/**
 * Checks of what an operation on many messages is given. JSON has null for NaN and for an invalid Date, and null
 * stands for no filter and no bound: an operation on some messages would become one on all of them.
 */

import { checkMoment } from "../runtime/checks.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import { isId } from "./ids.ts";

/** The kind of value that an option holds. */
export type OptionKind = "ids" | "text" | "moment" | "number" | "boolean";

/**
 * Checks the values that are given.
 * @throws RangeError that names the option
 */
export function checkValues(options: object, kinds: Readonly<Record<string, OptionKind>>): void {
  for (const [name, value] of Object.entries(options)) {
    const kind = kinds[name];
    if (kind === undefined || value === undefined) continue;
    // A value that was lost on the way must not widen the filter.
    if (value === null || value === "") {
      throw new RangeError(
        `${name}: is ${value === null ? "null" : "empty"}; give a value, or leave it out`,
      );
    }
    if (kind === "moment") checkMoment(value, name);
    else if (kind === "ids") checkIds(value, name);
    else checkKind(value, name, kind);
  }
}

function checkIds(value: unknown, name: string): void {
  if (!Array.isArray(value)) {
    throw new RangeError(`${name}: have to be a list of ids; got ${showValue(value)}`);
  }
  const wrong = value.findIndex((id) => typeof id !== "string" || !isId(id));
  if (wrong === -1) return;
  throw new RangeError(`${name}: have to be ids as text; got ${showValue(value[wrong])}`);
}

const NAMES = { text: "a text", number: "a finite number", boolean: "true or false" };
const TYPES = { text: "string", number: "number", boolean: "boolean" };

function checkKind(value: unknown, name: string, kind: keyof typeof TYPES): void {
  const isKind = typeof value === TYPES[kind] && (kind !== "number" || Number.isFinite(value));
  if (isKind) return;
  throw new RangeError(`${name}: has to be ${NAMES[kind]}; got ${showValue(value)}`);
}

/**
 * Refuses a filter that matches every message without `all: true`.
 * @param names of the filter's fields
 * @throws RangeError that names the field
 */
export function checkFilter(filter: object, names: readonly string[]): void {
  const fields = Object.entries(filter).filter(([name]) => name === "all" || names.includes(name));
  const given = fields.filter(([name, value]) => name !== "all" && value !== undefined);
  const all = fields.some(([name, value]) => name === "all" && value === true);
  if (given.length === 0 && !all) {
    throw new RangeError(
      `filter: give at least one of ${names.join(", ")}, or all: true`,
    );
  }
  if (given.length > 0 && all) {
    throw new RangeError(
      `all: goes with no other filter (${given.map(([name]) => name).join(", ")} was given)`,
    );
  }
}

/**
 * Checks the filter of a cancel.
 * @throws RangeError that names the field
 */
export function checkCancel(filter: object): void {
  const names = ["ids", "type", "queue"];
  checkNames(filter, ["all", ...names]);
  checkValues(filter, { all: "boolean", ids: "ids", type: "text", queue: "text" });
  checkFilter(filter, names);
}
