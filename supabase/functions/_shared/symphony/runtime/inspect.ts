/** Reads values of unknown shape, such as a value that a handler threw. Nothing here throws. */

/** Returns the value's property; undefined if it has none or reading it throws. */
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

// More than any real list has. A proxy may claim any length, and copying that would take all memory.
const LONGEST_LIST = 10_000;

/** Copies the first 10,000 items of the array in a property; empty if the property holds no array. */
export function readList(value: unknown, key: string): unknown[] {
  return listOf(readProperty(value, key));
}

/** The entries of an array, at most as many as {@link readList} returns; none of any other value. Never throws. */
export function listOf(value: unknown): unknown[] {
  try {
    if (!Array.isArray(value)) return [];
    // A subclass may replace `slice`, or have it make an object of another class.
    return Array.from({ length: Math.min(value.length, LONGEST_LIST) }, (_, at) => value[at]);
  } catch {
    return [];
  }
}

/** `instanceof` that returns false if the check itself throws, as a proxy may make it. */
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

/** A short text of a value, for error messages. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (isClass(value)) return `the class ${String(readProperty(value, "name")).slice(0, 60)}`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const name = builtInName(value);
  if (name === undefined) return "an object";
  return name === "Array" ? "an array" : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/**
 * The name of a value's built-in class, such as Array, Map or Date; undefined for other values: plain objects,
 * instances of users' classes, and module namespaces.
 */
export function builtInName(value: object): string | undefined {
  try {
    const text = Object.prototype.toString.call(value);
    if (text === "[object Object]" || text === "[object Module]") return undefined;
    return text.slice("[object ".length, -1);
  } catch {
    // A revoked proxy.
    return undefined;
  }
}

/** Tells a generator, which a call of a generator function returns: nothing of its body has run yet. */
export function isGeneratorObject(value: unknown): boolean {
  const tag = readProperty(value, Symbol.toStringTag);
  return tag === "Generator" || tag === "AsyncGenerator";
}

/** Tells a class, which cannot be called without `new`. A function's own prototype can be replaced, a class's cannot. */
export function isClass(value: unknown): boolean {
  try {
    return typeof value === "function" &&
      Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false;
  } catch {
    // A proxy.
    return false;
  }
}

/** Tells a generator function. Calling one runs none of its body, so its work would be skipped silently. */
export function isGenerator(value: unknown): boolean {
  const tag = typeof value === "function" && readProperty(value, Symbol.toStringTag);
  return tag === "GeneratorFunction" || tag === "AsyncGeneratorFunction";
}
