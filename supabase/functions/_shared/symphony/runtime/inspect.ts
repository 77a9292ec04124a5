/** Reads values of unknown shape, such as what a handler threw, without ever throwing. */

/** The value's property, or undefined where there is none or reading it throws. */
export function readProperty(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    return undefined;
  }
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

// More than any real list has: one of another length, which a proxy may claim, would take all memory.
const LONGEST_LIST = 10_000;

/** A copy of the array that the property holds, of its first 10,000 items; empty where it holds none. */
export function readList(value: unknown, key: string): unknown[] {
  const list = readProperty(value, key);
  try {
    return Array.isArray(list) ? list.slice(0, LONGEST_LIST) : [];
  } catch {
    return [];
  }
}

/** `instanceof` that says no where the value does not let itself be asked. */
export function isInstance<T>(
  value: unknown,
  type: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** A short text of a value, for the message of an error about it. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** Whether it is a generator function: calling it runs nothing of it, so that its work would be left out. */
export function isGenerator(value: unknown): boolean {
  const tag = typeof value === "function" && readProperty(value, Symbol.toStringTag);
  return tag === "GeneratorFunction" || tag === "AsyncGeneratorFunction";
}
