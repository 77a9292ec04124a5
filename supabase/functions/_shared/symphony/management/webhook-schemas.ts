/** Schemas of webhook endpoints and deliveries. */

import { z } from "@hono/zod-openapi";
import { durationField } from "../http/field-schemas.ts";
import { STEPS_BUDGET_MS } from "./parts.ts";
import {
  bigNumberOrNull,
  cursor,
  HELD_BY_POSTGRES,
  id,
  limit,
  moment,
  next,
  plainName,
  queryFlag,
  time,
  withRanges,
} from "./query-fields.ts";

const DAY_MS = 86_400_000;

/** Name of an endpoint. */
export const endpointName = plainName.openapi({ example: "customer-7" });

/** Name of an event, such as `order.paid`. */
const eventName = z.string().max(100).regex(/^[\w-]+(\.[\w-]+)*$/, {
  error: "has to be names of letters, digits, _ and - with dots between them",
}).openapi({ example: "order.paid" });

const eventPattern = z.string().max(100).regex(/^(\*|[\w-]+(\.[\w-]+)*(\.\*)?)$/, {
  error: "has to be a name such as order.paid, a beginning such as order.*, or *",
}).openapi({ example: "order.*" });

const settings = {
  url: z.url({ protocol: /^https?$/ }).max(2_000).refine(...HELD_BY_POSTGRES).openapi({
    description: "Where events are posted: https, at a public address",
  }),
  events: z.array(eventPattern).min(1).max(100).openapi({
    description: "Events that it wants; default: all",
  }),
  secret: z.string().regex(/^webhook_[A-Za-z0-9_.:-]{1,200}$/, {
    error: "has to begin with webhook_",
  }).openapi({ description: "Name of a secret in Vault; default: one is made" }),
  rateLimit: z.int().min(1).max(2_147_483_647).nullable().openapi({
    description: "Largest number of calls within ratePeriodMs; null: no limit",
  }),
  ratePeriodMs: z.int().min(1_000).max(DAY_MS),
  disableAfterMs: z.int().min(60_000).max(Number.MAX_SAFE_INTEGER).nullable().openapi({
    description: "How long every call may fail before it is disabled; null: never",
  }),
};

/** The body that makes an endpoint. */
export const createBody = z.strictObject(settings).partial()
  .extend({ name: endpointName, url: settings.url });

/** The body that changes an endpoint. */
export const changeBody = z.strictObject(settings).partial();

/** The body that rotates a secret. */
export const rotateBody = z.strictObject({
  overlap: durationField.default("24h").openapi({
    type: "string",
    pattern: "^\\d{1,9}(ms|s|m|h|d)$",
    description: "How long the former secret signs as well",
    example: "24h",
  }),
});

/** An endpoint. */
export const endpoint = z.object({
  name: endpointName,
  url: z.string(),
  events: z.array(z.string()),
  secret: z.string().openapi({ description: "Name of the secret in Vault" }),
  previousSecret: z.string().nullable(),
  previousUntil: time.nullable().openapi({ description: "Until then the former secret signs too" }),
  rateLimit: z.int().nullable(),
  ratePeriodMs: z.int(),
  disableAfterMs: bigNumberOrNull,
  failingSince: time.nullable().openapi({
    description: "First failure since the last success; null if the last call succeeded",
  }),
  disabledBy: z.enum(["operator", "failures", "gone"]).nullable().openapi({
    description: "Why it is disabled; null: it is enabled",
  }),
  disabledAt: time.nullable(),
  disabledReason: z.string().nullable(),
  createdAt: time,
}).openapi("WebhookEndpoint");

/** An endpoint with the value of a secret that was made for it. */
export const endpointWithSecret = z.object({
  endpoint,
  secret: z.string().optional().openapi({
    description: "The secret that was made, for the receiver; it is not shown again",
  }),
}).openapi("WebhookEndpointWithSecret");

/** An attempt. */
export const delivery = z.object({
  id,
  endpoint: z.string(),
  eventId: id.openapi({ description: "Receivers know it as evt_<id>, the header webhook-id" }),
  event: z.string(),
  messageId: id,
  attempt: z.int(),
  delivered: z.boolean(),
  status: z.int().nullable().openapi({ description: "HTTP status; null: there was no answer" }),
  durationMs: z.int(),
  answer: z.string().nullable().openapi({ description: "The first 1,000 bytes of the answer" }),
  error: z.string().nullable(),
  sentAt: time,
}).openapi("WebhookDelivery");

/** The query of a list of attempts. */
export const deliveriesQuery = z.strictObject({
  endpoint: endpointName.optional(),
  event: eventName.optional(),
  delivered: queryFlag.optional(),
  limit,
  cursor: cursor(z.string().regex(/^\d{1,19}$/)),
});

/** The body that sends webhooks again. */
export const resendBody = withRanges(z.strictObject({
  ids: z.array(id).min(1).max(1_000).optional().openapi({
    description: "Ids of attempts, which are repeated even if they were delivered",
  }),
  endpoint: endpointName.optional(),
  event: eventName.optional(),
  sentFrom: moment.optional(),
  sentUntil: moment.optional(),
  all: z.literal(true).optional().openapi({ description: "Everything; goes with no filter" }),
  dryRun: z.boolean().default(false),
  budgetMs: z.int().min(0).max(STEPS_BUDGET_MS).default(STEPS_BUDGET_MS).openapi({
    description: "Age of the request from which it begins no further step",
  }),
  cursor: cursor(z.strictObject({
    at: z.string().max(40),
    id: z.string().regex(/^-?\d{1,19}$/),
    matched: z.int().min(0),
    since: z.string().max(40),
  })),
})).refine(
  ({ ids, endpoint, event, sentFrom, sentUntil, all }) =>
    [ids, endpoint, event, sentFrom, sentUntil].some((field) => field !== undefined) !==
      (all === true),
  { path: [], message: "give at least one of ids, endpoint, event, sentFrom, sentUntil; or all" },
);

/** The answer to sending webhooks again. */
export const resent = z.object({
  matched: z.int().openapi({ description: "Attempts that are to be repeated" }),
  done: z.int().openapi({ description: "Messages that repeat them; 0 in a dry run" }),
  missing: z.array(z.string()).openapi({ description: "Ids that do not exist" }),
  next: next.openapi({
    description: "Where to continue, as `cursor`; null when everything is done",
  }),
}).openapi("Resent");
