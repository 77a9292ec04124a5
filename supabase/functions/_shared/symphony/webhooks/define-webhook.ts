/**
 * The definition of webhook calls. `dispatch` loads it with the project's messages, so that it is small: what sends
 * is imported by the first call.
 */

import { defineMessage } from "../message/define-message.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { BackoffOptions, RetryStrategy } from "../retry/strategy.ts";
import type { LookUp } from "./host-addresses.ts";
import { isSecretName, webhookPayload, type WebhookSettings } from "./webhook-payload.ts";

/** Options of {@link defineWebhook}. */
export interface WebhookOptions {
  /** Default: `WebhookMessage`. */
  readonly type?: string;
  /** Default: `webhooks`. */
  readonly queue?: string;
  /** Longest time until a receiver's answer, redirects included; default: 15 s. */
  readonly timeout?: Duration;
  /** Default: 48 retries within some 42 hours: after 5 s, 15 s, 45 s, up to an hour. */
  readonly retry?: BackoffOptions | RetryStrategy;
  /** Names of the secrets in Vault that sign calls whose payload names none: at most 2; default: none. */
  readonly secrets?: readonly string[];
  /**
   * Hosts, as `name` or `name:port`, that may have private addresses, and may be called by HTTP; and addresses that
   * other names may lead to; default: none. For tests and development only: callers who may dispatch a webhook reach
   * them.
   */
  readonly allowPrivate?: readonly string[];
  /** Certificates of further authorities, as PEM; default: those of the runtime. */
  readonly caCerts?: readonly string[];
  /** Looks up the addresses of a name, which are then checked; default: DNS. For tests. */
  readonly lookUp?: LookUp;
}

/** Beyond the answer of the receiver: the look-up of secrets, and the note of the delivery. */
const OWN_CALLS_MS = 15_000;

/**
 * Defines webhook calls: signed as Standard Webhooks says, to public addresses only.
 *
 * ```ts
 * export const messages = [defineWebhook({ secrets: ["webhook_signing"] })];
 * ```
 *
 * @throws RangeError that names the wrong option
 */
export function defineWebhook<const Type extends string = "WebhookMessage">(
  options: WebhookOptions & { readonly type?: Type } = {},
): MessageDefinition<typeof webhookPayload, Type> {
  // Without a type of its own, the parameter has its default.
  const type = options.type ?? "WebhookMessage" as Type;
  checkNames(options, OPTION_NAMES, `${type}: `);
  const timeoutMs = parseDuration(options.timeout ?? "15s", `${type}: timeout`);
  const settings: WebhookSettings = {
    timeoutMs,
    secrets: checkList(
      options.secrets,
      `${type}: secrets`,
      2,
      isSecretName,
    ),
    rules: {
      allowPrivate: checkList(
        options.allowPrivate,
        `${type}: allowPrivate`,
        100,
        (name) => name !== "",
      ),
      ...(options.caCerts && { caCerts: options.caCerts }),
      ...(options.lookUp && { lookUp: options.lookUp }),
    },
  };
  return defineMessage({
    type,
    schema: webhookPayload,
    queue: options.queue ?? "webhooks",
    timeout: timeoutMs + OWN_CALLS_MS,
    retry: options.retry ?? {
      maxRetries: 48,
      delay: "5s",
      multiplier: 3,
      maxDelay: "1h",
      jitter: 0.1,
    },
    handler: async (payload, context) => {
      const { deliverWebhook } = await import("./deliver-webhook.ts");
      return await deliverWebhook(payload, context, settings);
    },
  });
}

const OPTION_NAMES = [
  ...["type", "queue", "timeout", "retry", "secrets", "allowPrivate", "caCerts", "lookUp"],
];

function checkList(
  value: readonly string[] | undefined,
  field: string,
  max: number,
  isRight: (name: string) => boolean,
): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > max || !value.every(isRight)) {
    throw new RangeError(
      `${field}: has to be a list of at most ${max} names (${showValue(value)} was given)`,
    );
  }
  return [...value];
}
