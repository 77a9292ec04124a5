/** Options of a function that takes in the webhooks of another system. */

import type { z } from "zod";
import type { Middleware } from "../bus/middleware.ts";
import type { DispatchOptions } from "../message/dispatch-options.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { ProjectConfig } from "../project-config.ts";
import type { VerifiedWebhook, VerifyWebhook, WebhookScheme } from "./incoming-scheme.ts";

/** A verified webhook. */
export interface IncomingWebhook extends VerifiedWebhook {
  readonly headers: Headers;
  /** The body as it was sent. */
  readonly text: string;
  /** The body, parsed as JSON when it is first read; a body that is no JSON is answered with 400. */
  readonly body: unknown;
}

/** Options of `createWebhook`. */
export interface IncomingWebhookOptions<Schema extends z.ZodType> {
  /** `verifyStripe(...)` and the like, or a function of your own. */
  readonly verify: WebhookScheme | VerifyWebhook;
  /**
   * Name of the sender, 1 to 40 letters, digits or _ . -: an id is a repetition within its source only. Default: the
   * scheme's name, and "own" for a function of your own. Two senders of one scheme whose webhooks become one type of
   * message need two sources.
   */
  readonly source?: string;
  /** The message that is dispatched. */
  readonly message: MessageDefinition<Schema>;
  /** Makes the message's payload; undefined: the webhook is accepted and ignored. Default: the body. */
  readonly payload?: (webhook: IncomingWebhook) => z.input<Schema> | undefined;
  /** Options of the dispatch. The idempotency key is made of the source and the sender's id. */
  readonly options?:
    | Omit<DispatchOptions, "idempotencyKey" | "dedupeKey">
    | ((webhook: IncomingWebhook) => Omit<DispatchOptions, "idempotencyKey" | "dedupeKey">);
  /** Sees the message on its way in, as the project's `middleware`. */
  readonly middleware?: readonly Middleware[];
  /** Settings of the functions, as the project's `config`; `maxBodyBytes` bounds the body. */
  readonly config?: ProjectConfig;
}
