/** Tells network errors and timeouts from other errors: by name, by code, by text. */

import { readProperty } from "../runtime/inspect.ts";

const NAMES = new Set([
  // Web APIs
  "AbortError",
  "TimeoutError",
  "NetworkError",
  // Deno.errors
  "AddrNotAvailable",
  "BrokenPipe",
  "ConnectionAborted",
  "ConnectionRefused",
  "ConnectionReset",
  "Http",
  "Interrupted",
  "NetworkUnreachable",
  "NotConnected",
  "TimedOut",
  "UnexpectedEof",
  // Supabase: too many calls from function to function, and supabase-js
  "RateLimitError",
  "AuthRetryableFetchError",
  "FunctionsFetchError",
  "FunctionsRelayError",
]);

const CODES = new Set([
  // Node
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOTCONN",
  "ENOTFOUND",
  "EPIPE",
  "ESOCKETTIMEDOUT",
  "ETIMEDOUT",
  "ABORT_ERR",
  "ERR_STREAM_PREMATURE_CLOSE",
  // undici
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_SOCKET",
  // axios
  "ERR_CANCELED",
  "ERR_NETWORK",
  // postgres.js
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
]);

// The runtimes' texts for a fetch, or a read of a body, that failed on the way. Most of these errors
// are TypeErrors, like those for a wrong URL or header, so that only the text tells the two apart.
// supabase-js puts the name in front: "TypeError: fetch failed".
const TEXTS = [
  /^fetch failed$/i,
  /^failed to fetch$/i,
  /^load failed$/i,
  /^terminated$/i,
  /^other side closed$/i,
  /^socket hang up$/i,
  /^network ?error\b/i,
  /^(the )?network connection (was )?lost/i,
  /^unable to connect\b/i,
  /^error sending request\b/i,
  /^error trying to connect\b/i,
  /^(error reading a|request or response) body\b/i,
  /^(connection|http2|stream|client|tcp connect|dns) error\b/i,
  /^connection (closed|reset|refused|aborted|timed out)\b/i,
  /^the (operation|signal) (was|has been) aborted\b/i,
  /^signal timed out\b/i,
];

/** Tells whether the value itself, not its causes, is a failed connection, a timeout or an abort. */
export function isNetworkError(value: unknown): boolean {
  const name = readProperty(value, "name");
  const code = readProperty(value, "code");
  const message = readProperty(value, "message");
  if (typeof name === "string" && NAMES.has(name)) return true;
  if (typeof code === "string" && CODES.has(code)) return true;
  if (typeof message !== "string") return false;
  const text = message.slice(0, 200).replace(/^\w+Error: /, "");
  return TEXTS.some((pattern) => pattern.test(text));
}
