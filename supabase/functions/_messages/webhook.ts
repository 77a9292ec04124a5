/** A webhook call: an event, posted to another system. */

import { z } from "zod";
import { defineMessage, HttpError } from "../_shared/symphony/index.ts";

/** Posts `{ event, data }` to a URL; a 4xx answer goes to the dead letters at once. */
export const WebhookMessage = defineMessage({
  type: "WebhookMessage",
  schema: z.object({
    url: z.url({ protocol: /^https?$/ }),
    event: z.string().min(1).max(100),
    data: z.record(z.string(), z.unknown()).default({}),
  }),
  retry: { maxRetries: 8, delay: "1s", maxDelay: "10m", jitter: 0.2 },
  timeout: "10s",
  handler: async ({ url, event, data }, { envelope, signal }) => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": envelope.id,
        "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
      },
      body: JSON.stringify({ event, data }),
      redirect: "error",
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw HttpError.fromResponse(response);
  },
});
