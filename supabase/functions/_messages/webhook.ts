/** A webhook call: an event, posted to another system. */

import { defineWebhook } from "../_shared/symphony/index.ts";

/**
 * Posts `{ type, timestamp, data }` to a URL, signed as Standard Webhooks says with the secrets that the payload
 * names. Only backends and SQL may dispatch it: a caller who may, makes this project call any public address.
 *
 * WEBHOOK_ALLOW_PRIVATE lists hosts, separated by commas, that may have private addresses. The local stack sets it;
 * a deployed project leaves it out.
 */
export const WebhookMessage = defineWebhook({
  allowPrivate: (Deno.env.get("WEBHOOK_ALLOW_PRIVATE") ?? "").split(",").filter(Boolean),
});
