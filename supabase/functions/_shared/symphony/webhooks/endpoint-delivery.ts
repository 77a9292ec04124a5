/** Delivers a published event to an endpoint of the database, and notes each attempt there. */

import {
  beginWebhook,
  type BegunWebhook,
  pickSecrets,
  recordWebhook,
  type WebhookAttempt,
} from "../database/webhook-calls.ts";
import { describeError } from "../message/describe-error.ts";
import type { HandlerContext } from "../message/handler.ts";
import { type Snooze, snooze } from "../message/snooze.ts";
import type { WebhookAnswer } from "./post-webhook.ts";
import { WebhookRefusedError } from "./webhook-errors.ts";
import type { EndpointPayload } from "./webhook-payload.ts";

/** How a call is sent and judged. */
export interface Sending {
  readonly post: (
    call: Pick<BegunWebhook, "url" | "event" | "timestamp" | "data"> & {
      readonly id: string;
      readonly secrets: readonly string[];
    },
  ) => Promise<WebhookAnswer>;
  /** Throws if the answer is a failure. */
  readonly judge: (url: string, answer: WebhookAnswer) => void;
}

/**
 * Delivers an event to an endpoint.
 * @returns a snooze, if the endpoint's rate allows the call only later
 * @throws WebhookRefusedError if the endpoint or the event is gone, or the endpoint is disabled
 * @throws the errors of `post` and `judge`
 */
export async function deliverToEndpoint(
  payload: EndpointPayload,
  context: HandlerContext,
  { post, judge }: Sending,
): Promise<Snooze | undefined> {
  const { endpoint, eventId } = payload;
  const begun = await beginWebhook(context.supabase, endpoint, eventId);
  if ("refused" in begun) {
    const error = new WebhookRefusedError(begun.refused);
    await note(context, payload, begun.event ?? "", 0, { error });
    throw error;
  }
  if (begun.waitMs > 0) return snooze(begun.waitMs);
  const startedAt = performance.now();
  const took = () => Math.round(performance.now() - startedAt);
  let answer: WebhookAnswer;
  try {
    const secrets = pickSecrets(begun.secretNames, begun.secrets);
    answer = await post({ ...begun, id: `evt_${eventId}`, secrets });
  } catch (error) {
    // A worker that ends, and a cancel, say nothing about the endpoint.
    if (!context.signal.aborted) await note(context, payload, begun.event, took(), { error });
    throw error;
  }
  await note(context, payload, begun.event, took(), { answer });
  judge(begun.url, answer);
  return undefined;
}

/** A note that fails does not make a delivery fail: it would be made twice. */
async function note(
  { supabase, envelope, log }: HandlerContext,
  { endpoint, eventId }: EndpointPayload,
  event: string,
  durationMs: number,
  { answer, error }: { readonly answer?: WebhookAnswer; readonly error?: unknown },
): Promise<void> {
  const attempt: WebhookAttempt = {
    endpoint,
    event_id: eventId,
    event,
    message_id: envelope.id,
    attempt: envelope.attempts,
    delivered: answer !== undefined && answer.status >= 200 && answer.status <= 299,
    status: answer?.status ?? null,
    duration_ms: durationMs,
    answer: answer?.text ?? null,
    error: error === undefined ? null : describeError(error).message,
  };
  try {
    const reason = await recordWebhook(supabase, attempt);
    if (reason !== undefined) log.error("webhook_endpoint_disabled", { endpoint, reason });
  } catch (problem) {
    log.warn("webhook_not_noted", { endpoint, error: describeError(problem).message });
  }
}
