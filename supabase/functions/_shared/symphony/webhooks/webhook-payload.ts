/** The payload of webhook calls, and the settings of their definition. */

import { z } from "zod";
import { onFirstUse } from "../runtime/first-use.ts";
import type { ConnectionRules } from "./host-addresses.ts";

/** The part of its definition that a webhook call needs. */
export interface WebhookSettings {
  readonly timeoutMs: number;
  readonly secrets: readonly string[];
  readonly rules: ConnectionRules;
}

/** A name of a secret in Vault that webhook calls may use. */
const SECRET_NAME = /^webhook_[A-Za-z0-9_.:-]{1,100}$/;

/** Tells whether webhook calls may use a secret of this name. */
export function isSecretName(name: unknown): boolean {
  return typeof name === "string" && SECRET_NAME.test(name);
}

/** A URL and an event; what is posted is `{ type: event, timestamp, data }`. */
const toUrl = onFirstUse(() =>
  z.strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2_000),
    event: z.string().min(1).max(100),
    data: z.record(z.string(), z.unknown()).default({}),
    secrets: z.array(z.string().regex(SECRET_NAME, "has to begin with webhook_")).min(1).max(2)
      .optional(),
  })
);

/** An endpoint of the database and a published event, as `messenger_publish` writes it. */
const toEndpoint = onFirstUse(() =>
  z.strictObject({
    endpoint: z.string().min(1).max(100),
    eventId: z.string().regex(/^\d{1,19}$/),
  })
);

/** The payload of a webhook call: to a URL, or to an endpoint. */
export const webhookPayload = onFirstUse(() =>
  z.union([toUrl(), toEndpoint()], {
    error: ({ input, errors }) => {
      // zod itself says that no choice fits, and names no field.
      const [ofUrl, ofEndpoint] = errors as readonly z.core.$ZodIssue[][];
      const isToEndpoint = typeof input === "object" && input !== null && "endpoint" in input;
      const [issue] = (isToEndpoint ? ofEndpoint : ofUrl) ?? [];
      return issue && [...issue.path.map(String), issue.message].join(": ");
    },
  })
);

/** A parsed payload of a webhook call. */
export type WebhookPayload = z.output<ReturnType<typeof webhookPayload>>;
/** One that names an endpoint. */
export type EndpointPayload = z.output<ReturnType<typeof toEndpoint>>;
/** One that has its URL. */
export type UrlPayload = z.output<ReturnType<typeof toUrl>>;
