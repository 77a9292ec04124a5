/** Turns whatever was thrown into text that can be stored: JSON-safe, bounded, never throwing. */

import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { httpStatusesOf } from "../retry/http.ts";

/** A thrown value as it is stored and shown. */
export interface ErrorDescription {
  /** The error's text; the class where the error has none. */
  readonly message: string;
  /** The error's class, such as `TypeError`; for what is no object, its type. */
  readonly class: string;
  /** A code the error carried: an HTTP status, an SQLSTATE, a Node code. */
  readonly code?: string;
  /** The error's stack, followed by those of its causes. */
  readonly stack?: string;
}

/** How long the texts of a description may get, in UTF-16 code units. */
export interface DescriptionBounds {
  /** 2,000 where absent. */
  readonly message?: number;
  /** 4,000 where absent. */
  readonly stack?: number;
}

const MAX_NAME_LENGTH = 200;
const MAX_CAUSES = 5;

/**
 * Describes a thrown value, also one that is no Error or that refuses to be read. Never throws.
 * @param bounds what is longer is cut, and ends in `…`
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
 * Cuts a text, and replaces what Postgres's text and jsonb cannot hold (U+0000 and halves of
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

/** Tells a name meant for this class from one inherited: `class Declined extends Error {}` is Declined. */
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
  // A DOMException's number is of no use to anyone: its class says the same.
  return typeof code === "number" && !isInstance(value, DOMException) ? String(code) : undefined;
}

/**
 * A stack begins with a copy of the message, which is made when it is read first, and kept: of one that is
 * longer than what is stored, nothing but the message would be left.
 * @param longest what is longer is cut by the caller
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
