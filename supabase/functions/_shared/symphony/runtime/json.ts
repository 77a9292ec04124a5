/**
 * JSON without loss. JSON.stringify, JSON.parse and jsonb each change some values silently: NaN becomes
 * null, a Map becomes `{}`, 1970670598291982290 becomes another number. This file refuses such values and
 * names their path.
 */

import { isInstance, readProperty, showValue } from "./inspect.ts";

/** A place in a value: names of properties and positions in arrays, from the outside in. */
export type JsonPath = readonly (string | number)[];

/** A value that JSON or Postgres would change. */
export class UnstorableError extends Error {
  override readonly name = "UnstorableError";

  /** @param path place of the refused part */
  constructor(readonly path: JsonPath, message: string) {
    super(message);
  }
}

/** Deepest nesting: more than real messages have, and far less than a parser's stack can take. */
export const MAX_DEPTH = 100;

/** Advice in the error for a number that a double cannot keep. */
export const NUMBER_ADVICE = "give integers beyond 2^53 - 1 and digits beyond a double's as text";

/**
 * Copies a value into the JSON that its reader will get: dates become strings, `toJSON` is called, and
 * properties that are undefined are left out.
 * @param levels deepest nesting
 * @throws UnstorableError for values that JSON or Postgres's jsonb cannot keep, and for deeper nesting
 */
export function toJson(value: unknown, levels: number = MAX_DEPTH): unknown {
  const copier = new Copier(levels);
  try {
    return copier.copy(value);
  } catch (error) {
    if (isInstance(error, UnstorableError)) throw error;
    // A getter, a toJSON or a proxy threw, and the path still names the place.
    const message = readProperty(error, "message");
    const reason = typeof message === "string" ? message : showValue(error);
    throw new UnstorableError([...copier.path], `cannot be read as JSON: ${reason}`);
  }
}

class Copier {
  /** The place that is being copied. It stays at the failed part after an error. */
  readonly path: (string | number)[] = [];
  readonly #above: object[] = [];

  constructor(private readonly levels: number) {}

  copy(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        return isStorable(value) ? value : this.#refuse("holds U+0000 or half of a surrogate pair");
      case "number":
        return this.#number(value);
      case "boolean":
        return value;
      case "object":
        return value === null ? null : this.#object(value);
      default:
        return this.#refuse(`cannot be written as JSON (was ${nameOf(value)})`);
    }
  }

  #number(value: number): number {
    if (!Number.isFinite(value)) this.#refuse(`has to be a finite number (was ${value})`);
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.#refuse(`has to be a number that is kept exactly (was ${value}); ${NUMBER_ADVICE}`);
    }
    return value + 0; // -0 becomes 0, as jsonb has it
  }

  #object(value: object): unknown {
    if (this.path.length >= this.levels) this.#tooDeep();
    const { toJSON } = value as { readonly toJSON?: (key: string) => unknown };
    if (typeof toJSON === "function") return this.#own(value, toJSON);
    this.#above.push(value);
    const copy = Array.isArray(value) ? this.#array(value) : this.#properties(value);
    this.#above.pop();
    return copy;
  }

  /** Copies the result of a value's `toJSON`. Like JSON.stringify, it calls `toJSON` once. */
  #own(value: object, toJSON: (key: string) => unknown): unknown {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      this.#refuse("has to be a valid Date");
    }
    const own = toJSON.call(value, String(this.path.at(-1) ?? ""));
    if (typeof own !== "object" || own === null) return this.copy(own);
    return Array.isArray(own) ? this.#array(own) : this.#properties(own);
  }

  #array(value: readonly unknown[]): unknown[] {
    this.#refuseProperties(value);
    const copy: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      this.path.push(index);
      copy.push(this.copy(value[index]));
      this.path.pop();
    }
    return copy;
  }

  /** JSON has no place for properties of an array beside its items, as the result of a regular expression has. */
  #refuseProperties(value: readonly unknown[]): void {
    // The names of other properties come behind the positions.
    const keys = Object.keys(value);
    const isPosition = (key: string) => /^\d+$/.test(key);
    if (!isPosition(keys.at(-1) ?? "0")) {
      const property = keys.find((key) => !isPosition(key)) ?? "";
      this.#refuse("is a property of an array, which JSON leaves out", [...this.path, property]);
    }
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse("has a symbol as a key");
  }

  #properties(value: object): Record<string, unknown> {
    const prototype = Object.getPrototypeOf(value);
    // A plain object's prototype has no prototype itself. This holds for objects of other realms too.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      this.#refuse(`has to be a plain object (was ${nameOf(value)})`);
    }
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse("has a symbol as a key");
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      this.path.push(key);
      if (!isStorable(key)) this.#refuse("is a key that holds U+0000 or half of a surrogate pair");
      const property = (value as Record<string, unknown>)[key];
      if (property !== undefined) setOwn(copy, key, this.copy(property));
      this.path.pop();
    }
    return copy;
  }

  #tooDeep(): never {
    const [cycle] = this.#above.flatMap((one, index) => {
      const again = this.#above.indexOf(one, index + 1);
      return again < 0 ? [] : [again];
    });
    const message = `nested deeper than ${this.levels} levels`;
    if (cycle === undefined) this.#refuse(message, []);
    return this.#refuse(`${message}: holds itself`, this.path.slice(0, cycle));
  }

  #refuse(message: string, path: JsonPath = [...this.path]): never {
    throw new UnstorableError(path, message);
  }
}

function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  // An assignment would set the prototype.
  else Object.defineProperty(object, key, { value, enumerable: true, writable: true });
}

/** Whether Postgres can hold a text: it has neither U+0000 nor half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function nameOf(value: unknown): string {
  if (typeof value !== "object") return typeof value === "function" ? "a function" : typeof value;
  const name = readProperty(readProperty(value, "constructor"), "name");
  return typeof name === "string" && name !== "" ? name : "an object of a class";
}
