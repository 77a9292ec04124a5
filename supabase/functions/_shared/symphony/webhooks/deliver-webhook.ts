/** The handler of webhook calls: looks up what to send, signs, posts, and judges the answer. */

import { HttpError } from "../message/errors.ts";
import type { HandlerContext } from "../message/handler.ts";
import { type Snooze } from "../message/snooze.ts";
import { webhookSecrets } from "../database/webhook-calls.ts";
import { deliverToEndpoint } from "./endpoint-delivery.ts";
import { postWebhook, type WebhookAnswer } from "./post-webhook.ts";
import type { UrlPayload, WebhookPayload, WebhookSettings } from "./webhook-payload.ts";
import { signWebhook } from "./webhook-signature.ts";

/** A call that is ready to be signed. */
export interface WebhookCall {
  readonly url: string;
  /** The header `webhook-id`. */
  readonly id: string;
  readonly event: string;
  /** When the event happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: unknown;
  /** None: the call is not signed. */
  readonly secrets: readonly string[];
}

/**
 * Handles one webhook call.
 * @returns a snooze, if the rate of the endpoint asks for one
 * @throws HttpError for an answer other than 2xx, judged by status and Retry-After as every other
 * @throws WebhookRefusedError if the URL leads to a place that is not allowed, or nothing is to be sent
 */
export async function deliverWebhook(
  payload: WebhookPayload,
  context: HandlerContext,
  settings: WebhookSettings,
): Promise<Snooze | undefined> {
  const post = async (call: WebhookCall) => {
    const { timeoutMs, rules } = settings;
    const body = JSON.stringify({ type: call.event, timestamp: call.timestamp, data: call.data });
    const headers = await signedHeaders(call, body);
    const limits = { ...rules, timeoutMs, signal: context.signal };
    return await postWebhook({ url: call.url, headers, body }, limits);
  };
  if ("endpoint" in payload) return await deliverToEndpoint(payload, context, { post, judge });
  judge(payload.url, await post(await callOf(payload, context, settings)));
  return undefined;
}

async function callOf(
  { url, event, data, secrets: named }: UrlPayload,
  { envelope, supabase }: HandlerContext,
  settings: WebhookSettings,
): Promise<WebhookCall> {
  const names = named ?? settings.secrets;
  const secrets = names.length === 0 ? [] : await webhookSecrets(supabase, names);
  const timestamp = envelope.createdAt.toISOString();
  return { url, id: `msg_${envelope.id}`, event, timestamp, data, secrets };
}

/** The headers of Standard Webhooks; without a secret there is no signature. */
async function signedHeaders(
  { id, secrets }: WebhookCall,
  body: string,
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
function judge(url: string, { status, headers }: WebhookAnswer): void {
  if (status >= 200 && status <= 299) return;
  const { origin, pathname } = new URL(url);
  const message = `HTTP ${status} from ${origin}${pathname}`;
  if (status > 599) throw new HttpError(status, { message });
  throw HttpError.fromResponse(new Response(null, { status, headers }), { message });
}
