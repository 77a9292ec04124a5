/** The handler of webhook calls: looks up the secrets, signs, posts, and judges the answer. */

import type { HandlerContext } from "../message/handler.ts";
import { HttpError } from "../message/errors.ts";
import { webhookSecrets } from "../database/webhook-calls.ts";
import type { WebhookPayload, WebhookSettings } from "./webhook-payload.ts";
import { postWebhook, type WebhookAnswer } from "./post-webhook.ts";
import { signWebhook } from "./webhook-signature.ts";

/**
 * Makes one webhook call.
 * @throws HttpError for an answer other than 2xx, judged by status and Retry-After as every other
 * @throws WebhookRefusedError if the URL leads to a place that is not allowed
 */
export async function deliverWebhook(
  { url, event, data, secrets: named }: WebhookPayload,
  { envelope, signal, supabase }: HandlerContext,
  settings: WebhookSettings,
): Promise<void> {
  const names = named ?? settings.secrets;
  const secrets = names.length === 0 ? [] : await webhookSecrets(supabase, names);
  const body = JSON.stringify({
    type: event,
    timestamp: envelope.createdAt.toISOString(),
    data,
  });
  const headers = await signedHeaders(`msg_${envelope.id}`, body, secrets);
  const { timeoutMs, rules } = settings;
  const answer = await postWebhook({ url, headers, body }, { ...rules, timeoutMs, signal });
  judgeAnswer(url, answer);
}

/** The headers of Standard Webhooks; without a secret there is no signature. */
async function signedHeaders(
  id: string,
  body: string,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    ...(secrets.length > 0 && {
      "webhook-signature": await signWebhook(secrets, { id, timestamp, body }),
    }),
  };
}

/** @throws HttpError if the status is not 2xx */
function judgeAnswer(url: string, { status, headers }: WebhookAnswer): void {
  if (status >= 200 && status <= 299) return;
  const { origin, pathname } = new URL(url);
  const message = `HTTP ${status} from ${origin}${pathname}`;
  if (status > 599) throw new HttpError(status, { message });
  throw HttpError.fromResponse(new Response(null, { status, headers }), { message });
}
