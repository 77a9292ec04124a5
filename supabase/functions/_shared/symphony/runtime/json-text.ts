/** Reads JSON text from outside without loss. */

import { type JsonPath, MAX_DEPTH, NUMBER_ADVICE, UnstorableError } from "./json.ts";

/**
 * Parses JSON text like JSON.parse, and refuses text that JSON.parse would change: a number that a double
 * cannot keep, and a key that occurs twice in one object.
 * @throws SyntaxError if the text is no JSON
 * @throws UnstorableError with the path of the number or key
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!isSameText(value, text)) new Scanner(text).scan();
  return value;
}

/** A quick check for text that JSON.stringify wrote, as most is: if it writes the same text again, nothing was lost. */
function isSameText(value: unknown, text: string): boolean {
  try {
    return JSON.stringify(value) === text;
  } catch {
    return false; // nested too deeply for a stack
  }
}

// Real numbers are shorter. The comparison's time grows with the square of the length.
const LONGEST_NUMBER = 1_000;

/** Reads text that is known to be JSON, and checks its keys and numbers. */
class Scanner {
  /** For each open object or array: the object's keys so far, or null. */
  readonly #keys: (Set<string> | null)[] = [];
  readonly #path: (string | number)[] = [];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    const token = /["{}[\],]|-?\d[\d.eE+-]*/g;
    let isKey = false;
    for (let found = token.exec(this.#text); found; found = token.exec(this.#text)) {
      const [symbol] = found;
      switch (symbol) {
        case "{":
        case "[":
          this.#keys.push(symbol === "{" ? new Set() : null);
          this.#path.push(0);
          isKey = symbol === "{";
          break;
        case "}":
        case "]":
          this.#keys.pop();
          this.#path.pop();
          isKey = false;
          break;
        case ",":
          isKey = this.#keys.at(-1) !== null;
          if (!isKey) this.#path.push(Number(this.#path.pop()) + 1);
          break;
        case '"': {
          const end = endOfString(this.#text, found.index);
          if (isKey) this.#key(JSON.parse(this.#text.slice(found.index, end)));
          isKey = false;
          token.lastIndex = end;
          break;
        }
        default:
          this.#number(symbol);
      }
    }
  }

  #key(key: string): void {
    this.#path.pop();
    this.#path.push(key);
    const keys = this.#keys.at(-1);
    if (keys?.has(key)) throw new UnstorableError([...this.#path], "stands twice in one object");
    keys?.add(key);
  }

  #number(text: string): void {
    if (text.length <= LONGEST_NUMBER && isExact(text)) return;
    const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
    throw new UnstorableError(
      [...this.#path],
      `has to be a number that is kept exactly (was ${shown}); ${NUMBER_ADVICE}`,
    );
  }
}

function endOfString(text: string, start: number): number {
  for (let end = start + 1;; end++) {
    end = text.indexOf('"', end);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

/** Tells whether a double has the same decimal value as the text. */
function isExact(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && decimalOf(text) === decimalOf(String(value));
}

/** A number's digits without zeros at its ends, and its exponent. */
function decimalOf(text: string): string {
  const [, whole = "", fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  const zeros = digits.length - significant.length;
  return significant && `${significant}e${Number(exponent) - fraction.length + zeros}`;
}

/**
 * Finds a number in parsed JSON that may differ from the stored one: a whole number beyond 2^53 - 1, or
 * one beyond all doubles, which is read as Infinity. Returns its path, or null if there is none.
 */
export function findInexact(value: unknown): JsonPath | null {
  return isRead(value, MAX_DEPTH) ? null : pathTo(value);
}

/** Tells whether all numbers are exact. Returns false below `levels`, where a loop without recursion takes over. */
function isRead(value: unknown, levels: number): boolean {
  if (typeof value === "number") return isExactNumber(value);
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isRead(item, levels - 1)) return false;
    return true;
  }
  for (const key in value) {
    if (!isRead((value as Record<string, unknown>)[key], levels - 1)) return false;
  }
  return true;
}

function isExactNumber(value: number): boolean {
  return Number.isSafeInteger(value) || (!Number.isInteger(value) && Number.isFinite(value));
}

function pathTo(value: unknown): JsonPath | null {
  const rest: { at: unknown; path: JsonPath }[] = [{ at: value, path: [] }];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const { at, path } = next;
    if (typeof at === "number" && !isExactNumber(at)) return path;
    if (typeof at !== "object" || at === null) continue;
    for (const [key, child] of Object.entries(at)) {
      rest.push({ at: child, path: [...path, Array.isArray(at) ? Number(key) : key] });
    }
  }
  return null;
}
