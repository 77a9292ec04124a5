/** Schemas of alerts, their channels and their deliveries. */

import { z } from "@hono/zod-openapi";
import { CHANNEL_KINDS } from "../database/alert-settings.ts";
import { bigNumber, bigNumberOrNull, id, text, time } from "./query-fields.ts";

const RULES = [
  ...["dead_letters", "oldest_ready", "no_tick", "ticks_not_started", "schedule_overdue"],
  ...["schedule_failing", "retry_rate", "long_step", "queue_limited", "webhook_disabled"],
] as const;
const MINUTE_MS = 60_000;
const MONTH_MS = 2_592_000_000;

/** Name of an alert or a channel. */
export const alertName = z.string()
  .regex(/^[A-Za-z0-9_.:-]{1,100}$/, "has to be 1 to 100 letters, digits or _ . : -")
  .openapi({ example: "dead-letters" });

const rule = z.enum(RULES).openapi({
  description: "How it is measured; docs/alerts.md lists the rules",
});

const MEANING = {
  type: "Only messages of this type count",
  reason: "Only dead letters for this reason count; null: all but cancelled ones",
  queue: "Only messages of this queue count",
  schedule: "Only the schedule of this name counts",
  threshold: "Value from which it fires: a number, ms, or a share from 0 to 1, by the rule",
  windowMs: "Time in which is counted, or for which it has to last, in ms; null: the rule has none",
  channel: "Where it is told; null: on the default channel",
  cooldownMs: "For so long after it was told it is not told again, in ms",
};

/** Settings of an alert in a request. */
const settings = described({
  type: text(200).nullable(),
  reason: text(200).nullable(),
  // A queue's name of 100 characters, a slash, and a lane of 100 bytes, each of which may take three characters.
  queue: text(401).nullable(),
  schedule: text(200).nullable(),
  threshold: z.number().min(0).max(MONTH_MS).nullable(),
  windowMs: z.int().min(MINUTE_MS).max(MONTH_MS).nullable(),
  channel: alertName.nullable(),
  cooldownMs: z.int().min(MINUTE_MS).max(MONTH_MS),
});
const enabled = z.boolean();

/** Settings of an alert in an answer. They have no bounds: SQL and the table editor may write any. */
const shown = described({
  type: z.string().nullable(),
  reason: z.string().nullable(),
  queue: z.string().nullable(),
  schedule: z.string().nullable(),
  threshold: z.number().nullable(),
  windowMs: bigNumberOrNull,
  channel: z.string().nullable(),
  cooldownMs: bigNumber,
});

function described<Fields extends Record<keyof typeof MEANING, z.ZodType>>(fields: Fields): Fields {
  const entries = Object.entries(fields).map(([name, field]) => [
    name,
    field.openapi({ description: MEANING[name as keyof typeof MEANING] }),
  ]);
  // Each field has the type that it had.
  return Object.fromEntries(entries) as Fields;
}

/** Body of a change of an alert. */
export const alertChanges = z.strictObject({ ...settings, enabled }).partial();

/** Body of a new alert. */
export const newAlert = alertChanges.extend({ name: alertName, rule });

/** An alert with its state. */
export const alert = z.object({
  name: alertName,
  rule,
  ...shown,
  enabled,
  state: z.enum(["firing", "cooling_down", "resolved"]),
  value: z.number().nullable().openapi({
    description: "At the last check; null: nothing to measure",
  }),
  subject: z.string().nullable().openapi({
    description: "The queue, schedule, type or message that has the value",
  }),
  since: time.openapi({ description: "Since when it is in this state" }),
  toldAt: time.nullable().openapi({ description: "When it was last told" }),
  checkedAt: time.nullable(),
  error: z.string().nullable().openapi({ description: "Why the last check failed" }),
  createdAt: time,
  updatedAt: time,
}).openapi("Alert");

/** Body of a channel. */
export const channelBody = z.strictObject({
  kind: z.enum(CHANNEL_KINDS),
  url: text(2000).optional().openapi({
    description: "https, or http on localhost; kept in Vault, never told; left out, it stays",
  }),
  secret: text(200).nullable().optional().openapi({
    description: "Signing secret of a webhook, whsec_...; left out, it stays; null: unsigned",
  }),
  messageType: text(200).optional().openapi({
    description: "Of kind message: the type that is dispatched",
  }),
  isDefault: z.boolean().optional().openapi({
    description: "Alerts without a channel are told here; the first channel is it by itself",
  }),
});

const event = z.enum(["firing", "resolved", "test"]);

/** States of a delivery. */
export const deliveryStatus = z.enum(["pending", "sent", "delivered", "failed"]);

const outcome = {
  id,
  event,
  status: deliveryStatus,
  statusCode: z.int().nullable().openapi({ description: "HTTP status of the last answer" }),
  error: z.string().nullable().openapi({ description: "Why the last attempt failed" }),
  createdAt: time,
};

/** A channel without its secrets. */
export const channel = z.object({
  name: alertName,
  kind: z.enum(CHANNEL_KINDS),
  host: z.string().nullable().openapi({ description: "Host of the URL" }),
  messageType: z.string().nullable(),
  signed: z.boolean(),
  isDefault: z.boolean(),
  createdAt: time,
  updatedAt: time,
  lastDelivery: z.object(outcome).nullable(),
}).openapi("AlertChannel");

/** A delivery. */
export const delivery = z.object({
  ...outcome,
  webhookId: z.string().openapi({ description: "The same at each attempt" }),
  alert: z.string().nullable().openapi({ description: "null: a test of the channel" }),
  channel: z.string(),
  body: z.record(z.string(), z.unknown()).openapi({
    description: "The content, in the form of a webhook",
  }),
  attempts: z.int(),
  nextAttemptAt: time,
  finishedAt: time.nullable().openapi({ description: "When it arrived or was given up" }),
}).openapi("AlertDelivery");
