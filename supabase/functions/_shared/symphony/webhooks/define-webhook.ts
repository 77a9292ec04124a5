/**
 * The definition of webhook calls. `dispatch` loads it with the project's messages, so that it is small: what sends
 * is imported by the first call.
 */

import { defineMessage } from "../message/define-message.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkIsOptions, checkNames } from "../runtime/option-names.ts";
import { checkFunction } from "../retry/strategy-options.ts";
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
): MessageDefinition<ReturnType<typeof webhookPayload>, Type> {
  checkIsOptions(options, "defineWebhook: ");
  // Without a type of its own, the parameter has its default.
  const { type = "WebhookMessage" as Type, queue = "webhooks", retry = RETRY } = options;
  checkNames(options, OPTION_NAMES, `${type}: `);
  const settings = settingsOf(type, options);
  return defineMessage({
    type,
    schema: webhookPayload(),
    queue,
    timeout: settings.timeoutMs + OWN_CALLS_MS,
    retry,
    handler: async (payload, context) => {
      const { deliverWebhook } = await import("./deliver-webhook.ts");
      return await deliverWebhook(payload, context, settings);
    },
  });
}

const RETRY: BackoffOptions = {
  maxRetries: 48,
  delay: "5s",
  multiplier: 3,
  maxDelay: "1h",
  jitter: 0.1,
};

const OPTION_NAMES = [
  ...["type", "queue", "timeout", "retry", "secrets", "allowPrivate", "caCerts", "lookUp"],
];

/** @throws RangeError that names the wrong option */
function settingsOf(
  type: string,
  { timeout = "15s", secrets, allowPrivate, caCerts, lookUp }: WebhookOptions,
): WebhookSettings {
  const timeoutMs = parseDuration(timeout, `${type}: timeout`);
  if (timeoutMs === 0) throw new RangeError(`${type}: timeout: has to be more than 0`);
  if (lookUp !== undefined) {
    checkFunction(lookUp, `${type}: lookUp`);
  }
  const hosts = { what: "names", max: 100, isRight: (name: string) => /^\S+$/.test(name) };
  const authorities = { what: "certificates as PEM", max: 1_000, isRight: isCertificate };
  return {
    timeoutMs,
    secrets: checkList(secrets, `${type}: secrets`, SECRETS),
    rules: {
      allowPrivate: checkList(allowPrivate, `${type}: allowPrivate`, hosts),
      ...(caCerts !== undefined && {
        caCerts: checkList(caCerts, `${type}: caCerts`, authorities),
      }),
      ...(lookUp && { lookUp }),
    },
  };
}

const SECRETS = { what: "names", max: 2, isRight: isSecretName };

function isCertificate(text: string): boolean {
  return text.includes("-----BEGIN CERTIFICATE-----");
}

function checkList(
  value: readonly string[] | undefined,
  field: string,
  { what, max, isRight }: {
    readonly what: string;
    readonly max: number;
    readonly isRight: (text: string) => boolean;
  },
): readonly string[] {
  if (value === undefined) return [];
  const isWrong = (one: unknown) => typeof one !== "string" || !isRight(one);
  const wrong = Array.isArray(value) ? value.find(isWrong) : undefined;
  if (Array.isArray(value) && value.length <= max && !value.some(isWrong)) return [...value];
  throw new RangeError(
    `${field}: has to be a list of at most ${max} ${what}; got ${showValue(wrong ?? value)}`,
  );
}
