/** The parts of a schema: functions, which may be asynchronous, and values that it gives to all who parse by it. */

import type { z } from "zod";

/** The parts of a schema that matter to those who parse by it. */
export interface SchemaParts {
  /** It holds functions, such as refinements and transforms. */
  readonly callsFunctions: boolean;
  /** It gives out objects of its own, by a default or a catch. */
  readonly sharesObjects: boolean;
}

const known = new WeakMap<z.ZodType, SchemaParts>();

/** Returns the parts of a schema, which it looks for once. */
export function partsOfSchema(schema: z.ZodType): SchemaParts {
  let parts = known.get(schema);
  if (!parts) {
    const found = { callsFunctions: false, sharesObjects: false };
    search(schema, found, new Set());
    known.set(schema, parts = found);
  }
  return parts;
}

/** A copy of plain objects, arrays and dates, and of those in them. All other objects stay what they are. */
export function copyPlain(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (value instanceof Date && Object.getPrototypeOf(value) === Date.prototype) {
    return new Date(value);
  }
  if (!isPlain(value)) return value;
  const before = copies.get(value);
  if (before !== undefined) return before;
  const copy = (Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))) as object;
  copies.set(value, copy);
  for (const [key, part] of Object.entries(value)) {
    // A property by the name of __proto__ is no prototype.
    Object.defineProperty(copy, key, {
      value: copyPlain(part, copies),
      ...{ writable: true, enumerable: true, configurable: true },
    });
  }
  return copy;
}

function isPlain(value: unknown): value is Record<string, unknown> | unknown[] {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Looks through a schema's definition; the schema's own methods do not count. */
function search(
  part: unknown,
  found: { callsFunctions: boolean; sharesObjects: boolean },
  seen: Set<unknown>,
): void {
  if (typeof part === "function") found.callsFunctions = true;
  if (typeof part !== "object" || part === null || part instanceof RegExp || seen.has(part)) return;
  seen.add(part);
  if ("_zod" in part) return searchSchema((part as z.ZodType)._zod, found, seen);
  for (const key of Object.keys(part)) {
    try {
      const value = (part as Record<string, unknown>)[key];
      // zod copies the outermost object of a default only, and no value of a catch.
      if (key === "catchValue" || key === "defaultValue" && (isNested(value) || isOne(part, key))) {
        found.sharesObjects = true;
      }
      // The function of a superRefine, or of a check, stands outside of its definition.
      if (key === "check" && value === "custom") found.callsFunctions = true;
      // A schema of promises is asynchronous without a function.
      if (key === "type" && value === "promise") found.callsFunctions = true;
      search(value, found, seen);
    } catch {
      // The function of a default, which fails without a message that needs it.
      found.callsFunctions = true;
    }
  }
}

/** A lazy schema keeps the schema that its function returns outside of its definition. */
function searchSchema(
  parts: z.ZodType["_zod"],
  found: { callsFunctions: boolean; sharesObjects: boolean },
  seen: Set<unknown>,
): void {
  search(parts.def, found, seen);
  try {
    search((parts as { readonly innerType?: unknown }).innerType, found, seen);
  } catch {
    // The function fails again where a message is parsed.
  }
}

/** Whether the function of a default returns the same object each time. */
function isOne(part: object, key: string): boolean {
  const read = () => (part as Record<string, unknown>)[key];
  const value = read();
  return typeof value === "object" && value !== null && value === read();
}

function isNested(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    (!isPlain(value) || Object.values(value).some((part) => typeof part === "object"));
}
