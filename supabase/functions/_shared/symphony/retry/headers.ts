/** Headers of responses, in every shape in which HTTP clients keep them. Nothing here throws. */

import { readProperty } from "../runtime/inspect.ts";
import { holdersOf } from "./http.ts";

/** Properties in which responses and errors keep headers: fetch and axios, Vercel's AI SDK, gRPC. */
const HEADERS_KEYS = ["headers", "responseHeaders", "metadata"];

/** The headers of a response, or of an error that holds one. */
export function headersOf(value: unknown): object[] {
  return holdersOf(value)
    .flatMap((holder) => HEADERS_KEYS.map((key) => readProperty(holder, key)))
    .filter((headers) => typeof headers === "object" && headers !== null);
}

/**
 * Reads a Headers object, a Map, gRPC's Metadata, a list of pairs, Node's and undici's list in which names and values
 * take turns, or an object with names in any letter case.
 */
export function readHeader(headers: object, name: string): string | null {
  try {
    const get = readProperty(headers, "get");
    const own: unknown = typeof get === "function" ? get.call(headers, name) : undefined;
    const isThere = own !== undefined && own !== null && !(Array.isArray(own) && own.length === 0);
    const value = isThere ? own : entryOf(headers, name);
    return textOf(Array.isArray(value) ? value[0] : value) ?? null;
  } catch {
    return null;
  }
}

/** A text, or a number as text; undefined for other values. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
}

const MAX_HEADERS = 200;

function entryOf(headers: object, name: string): unknown {
  const entries: Iterable<unknown> = Symbol.iterator in headers
    ? headers as Iterable<unknown>
    : Object.entries(headers);
  let number = 0;
  for (const entry of entries) {
    if (Array.isArray(entry) && String(entry[0]).toLowerCase() === name) return entry[1];
    if (++number === MAX_HEADERS) break;
  }
  return Array.isArray(headers) ? rawEntryOf(headers, name) : undefined;
}

function rawEntryOf(headers: readonly unknown[], name: string): unknown {
  for (let index = 0; index < Math.min(headers.length, MAX_HEADERS); index += 2) {
    if (decoded(headers[index]).toLowerCase() === name) return decoded(headers[index + 1]);
  }
  return undefined;
}

function decoded(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : textOf(value) ?? "";
}
