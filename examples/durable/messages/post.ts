/** How the handlers of the examples call other services: under a step's idempotency key. */

import { HttpError, type StepContext } from "../../../supabase/functions/_shared/symphony/index.ts";

/**
 * Posts JSON. A service that has seen the key before does nothing, and returns its first answer.
 * @throws HttpError if the service refuses: 429 and 5xx are retried, other statuses are final
 */
export async function post(
  url: string,
  body: unknown,
  { key, signal }: StepContext,
): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
    signal,
  });
  await response.body?.cancel();
  if (!response.ok) throw HttpError.fromResponse(response);
}
