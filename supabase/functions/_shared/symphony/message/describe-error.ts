/** Turns any thrown value into text that can be stored: JSON-safe, bounded, never throwing. */

import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { httpStatusesOf } from "../retry/http.ts";

/** A thrown value as it is stored and shown. */
export interface ErrorDescription {
  /** The error's text; its class if the error has no text. */
  readonly message: string;
  /** The error's class, such as `TypeError`; the type of a value that is no object. */
  readonly class: string;
  /** A code the error carried: an HTTP status, an SQLSTATE, a Node code. */
  readonly code?: string;
  /** The error's stack, followed by those of its causes. */
  readonly stack?: string;
}

/** How long the texts of a description may get, in UTF-16 code units. */
export interface DescriptionBounds {
  /** Default: 2,000. */
  readonly message?: number;
  /** Default: 4,000. */
  readonly stack?: number;
}

const MAX_NAME_LENGTH = 200;
const MAX_CAUSES = 5;

/**
 * Describes a thrown value, even one that is no Error or whose properties throw. Never throws.
 * @param bounds longest texts; a longer one is cut and ends in `…`
 */
export function describeError(error: unknown, bounds: DescriptionBounds = {}): ErrorDescription {
  const name = classOf(error);
  const code = codeOf(error);
  const longest = bounds.stack ?? 4_000;
  const stack = stackOf(error, longest);
  return {
    message: toStorableText(messageOf(error) || name, bounds.message ?? 2_000),
    class: toStorableText(name, MAX_NAME_LENGTH),
    ...(code === undefined ? {} : { code: toStorableText(code, MAX_NAME_LENGTH) }),
    ...(stack === undefined ? {} : { stack: toStorableText(stack, longest) }),
  };
}

/**
 * Cuts a text, and replaces characters that Postgres's text and jsonb cannot hold (U+0000 and halves of
 * surrogate pairs) by U+FFFD.
 */
export function toStorableText(text: string, maxLength: number): string {
  const cut = text.length <= maxLength ? text : `${text.slice(0, Math.max(0, maxLength - 1))}…`;
  return cut.replaceAll("\0", "\uFFFD").toWellFormed();
}

function messageOf(value: unknown): string {
  const message = readProperty(value, "message");
  if (typeof message === "string" && message !== "") return message;
  if (isInstance(value, Response)) return `HTTP ${readProperty(value, "status")}`;
  if (isInstance(value, Error)) return message ? toText(message) : "";
  return toText(value);
}

function toText(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

function classOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  const name = hasNameOfItsOwn(value) ? readProperty(value, "name") : undefined;
  const candidates = [name, readProperty(readProperty(value, "constructor"), "name")];
  return candidates.map((one) => typeof one === "string" ? one : "").find(Boolean) ?? "Object";
}

/** Tells a name set for this class from an inherited one: `class Declined extends Error {}` is Declined. */
function hasNameOfItsOwn(value: object): boolean {
  if (typeof readProperty(value, "message") !== "string") return false;
  try {
    return Object.hasOwn(value, "name") || Object.hasOwn(Object.getPrototypeOf(value), "name");
  } catch {
    return false;
  }
}

function codeOf(value: unknown): string | undefined {
  const code = readProperty(value, "code");
  if (typeof code === "string" && code !== "") return code;
  const [status] = httpStatusesOf(value);
  if (status !== undefined) return String(status);
  // A DOMException's numeric code says no more than its class.
  return typeof code === "number" && !isInstance(value, DOMException) ? String(code) : undefined;
}

/**
 * The error's stack without a long message. A stack begins with a copy of the message, so a message
 * longer than the bound would leave no room for the stack's lines. The engine builds the stack when it
 * is first read, hence the message is cut before.
 * @param longest the caller's bound, in UTF-16 code units
 */
function stackOf(error: unknown, longest: number): string | undefined {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  const queue = [error];
  let length = 0;
  while (queue.length > 0 && seen.size <= MAX_CAUSES && length <= longest) {
    const value = queue.shift();
    if (seen.has(value)) continue;
    const message = readProperty(value, "message");
    const isLong = typeof message === "string" && message.length > longest;
    const stack = isLong
      ? `${classOf(value)}: ${message.slice(0, longest)}`
      : readProperty(value, "stack");
    if (typeof stack === "string" && stack !== "") {
      parts.push(stack);
      length += stack.length;
    } else if (seen.size > 0) parts.push(`${classOf(value)}: ${messageOf(value)}`);
    seen.add(value);
    const cause = readProperty(value, "cause");
    queue.push(...readList(value, "errors").slice(0, MAX_CAUSES));
    if (cause !== undefined && cause !== null) queue.push(cause);
  }
  return parts.length > 0 ? parts.join("\nCaused by: ") : undefined;
}
