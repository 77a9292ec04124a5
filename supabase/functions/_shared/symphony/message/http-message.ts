/** Errors about HTTP responses: their texts, and a check of the response. */

import { readProperty, showValue } from "../runtime/inspect.ts";

/**
 * Checks that a value has an HTTP status. It need not be a Response: HTTP clients have classes of their own.
 * @throws RangeError
 */
export function checkResponse(value: unknown): void {
  if (Number.isInteger(readProperty(value, "status"))) return;
  throw new RangeError(
    `response: has to be a Response, with an HTTP status; got ${showValue(value)}`,
  );
}

/** The text of an error about a response. */
export function httpMessage(status: number, url: string | undefined): string {
  return url === undefined ? `HTTP ${status}` : `HTTP ${status} from ${url}`;
}

/** The URL without parts that may hold a secret; undefined if there is no URL. */
export function withoutSecrets(url: string): string | undefined {
  if (url === "") return undefined;
  if (!URL.canParse(url)) return url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
  const parsed = new URL(url);
  return Object.assign(parsed, { username: "", password: "", search: "", hash: "" }).href;
}
