/** Whether a server itself says that a retry can help. */

import { carriesRetryAfter } from "./asked-delay.ts";
import { headersOf, readHeader } from "./headers.ts";

/** The answer of the headers of OpenAI, Anthropic and Stripe, which their clients obey; undefined without one. */
export function saysShouldRetry(value: unknown): boolean | undefined {
  for (const headers of headersOf(value)) {
    for (const name of ["x-should-retry", "stripe-should-retry"]) {
      const text = readHeader(headers, name)?.trim().toLowerCase();
      if (text === "true" || text === "false") return text === "true";
    }
  }
  return undefined;
}

/** The same of a response that is kept as an error without its headers: a Retry-After asks for a retry, too. */
export function shouldRetryOf(response: Response): boolean | undefined {
  return carriesRetryAfter(response) ? true : saysShouldRetry(response);
}
