/** Alerts, their channels and their deliveries: list, make, change, delete, test, send again. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError, NotFoundError } from "../message/errors.ts";
import { ask } from "./ask.ts";
import { toArguments } from "./listed-rows.ts";

/** Settings of an alert. Null: the rule takes none, or no filter is set. */
export interface AlertSettings {
  type: string | null;
  reason: string | null;
  queue: string | null;
  schedule: string | null;
  /** A number, ms, or a share from 0 to 1, by the rule. */
  threshold: number | null;
  windowMs: number | null;
  /** Null: the default channel. */
  channel: string | null;
  cooldownMs: number;
  enabled: boolean;
}

/** Settings to change; those that are left out stay. */
export type AlertChanges = {
  readonly [Name in keyof AlertSettings]?: AlertSettings[Name] | undefined;
};

/** An alert with its state. Moments are ISO 8601. */
export interface ListedAlert extends AlertSettings {
  name: string;
  rule: string;
  state: "firing" | "cooling_down" | "resolved";
  value: number | null;
  /** The queue, schedule, type or message that has the value. */
  subject: string | null;
  since: string;
  toldAt: string | null;
  checkedAt: string | null;
  /** Why the last check failed. */
  error: string | null;
  createdAt: string;
  updatedAt: string;
}

/** The kinds of channels. */
export const CHANNEL_KINDS = ["slack", "discord", "webhook", "message"] as const;

/** A channel as it is to be. A URL or a secret that is left out stays as it is. */
export interface ChannelSettings {
  readonly kind: typeof CHANNEL_KINDS[number];
  readonly url?: string | undefined;
  /** Null deletes it. */
  readonly secret?: string | null | undefined;
  readonly messageType?: string | undefined;
  readonly isDefault?: boolean | undefined;
}

/** A channel without its secrets. Moments are ISO 8601. */
export interface ListedChannel {
  name: string;
  kind: typeof CHANNEL_KINDS[number];
  /** Host of the URL; null: a message type. */
  host: string | null;
  messageType: string | null;
  signed: boolean;
  isDefault: boolean;
  createdAt: string;
  updatedAt: string;
  lastDelivery:
    | (Pick<ListedDelivery, "id" | "event" | "status" | "statusCode" | "error" | "createdAt">)
    | null;
}

/** A delivery of an alert. Moments are ISO 8601. */
export interface ListedDelivery {
  id: string;
  webhookId: string;
  /** Null: a test of the channel. */
  alert: string | null;
  channel: string;
  event: "firing" | "resolved" | "test";
  body: Record<string, unknown>;
  status: "pending" | "sent" | "delivered" | "failed";
  attempts: number;
  nextAttemptAt: string;
  statusCode: number | null;
  error: string | null;
  createdAt: string;
  finishedAt: string | null;
}

/** A page of deliveries, and which ones. */
export interface DeliveryPage {
  readonly beforeId?: string | undefined;
  readonly maxDeliveries: number;
  readonly alert?: string | undefined;
  readonly channel?: string | undefined;
  readonly status?: string | undefined;
}

/** Lists alerts by name. @param name only this one @throws the errors of `callRpc` */
export async function listAlerts(client: SupabaseClient, name?: string): Promise<ListedAlert[]> {
  const { alerts } = await ask<{ alerts: ListedAlert[] }>(client, "messenger_list_alerts", {
    name,
  });
  return alerts.map((alert) => ({ ...alert, ...finite(alert) }));
}

/** SQL may write a threshold that is infinite or no number, which JSON has as text. */
function finite({ threshold, value }: ListedAlert): Pick<ListedAlert, "threshold" | "value"> {
  const numberOf = (given: unknown) => typeof given === "number" ? given : null;
  return { threshold: numberOf(threshold), value: numberOf(value) };
}

/**
 * Makes an alert.
 * @throws RangeError with the field that is wrong, ConflictError if there is one of this name, and the other
 * errors of `callRpc`
 */
export async function createAlert(
  client: SupabaseClient,
  name: string,
  rule: string,
  settings: AlertChanges,
): Promise<void> {
  const args = { name, rule, settings: toArguments(settings) };
  await inCamelCase(() => ask(client, "messenger_create_alert", args));
}

/**
 * Changes the given settings of an alert.
 * @throws RangeError with the field that is wrong, NotFoundError if there is none of this name, and the
 * other errors of `callRpc`
 */
export async function setAlert(
  client: SupabaseClient,
  name: string,
  changes: AlertChanges,
): Promise<void> {
  const args = { name, settings: toArguments(changes) };
  await inCamelCase(() => ask(client, "messenger_set_alert", args));
}

/** Deletes an alert. @throws NotFoundError if there is none of this name, and the other errors of `callRpc` */
export async function deleteAlert(client: SupabaseClient, name: string): Promise<void> {
  await ask(client, "messenger_delete_alert", { name });
}

/** Lists channels by name. @param name only this one @throws the errors of `callRpc` */
export async function listChannels(
  client: SupabaseClient,
  name?: string,
): Promise<ListedChannel[]> {
  type Answer = { channels: ListedChannel[] };
  return (await ask<Answer>(client, "messenger_list_alert_channels", { name })).channels;
}

/**
 * Makes a channel, or sets it. Its URL and its secret go into Vault.
 * @throws RangeError with the field that is wrong, and the other errors of `callRpc`
 */
export async function setChannel(
  client: SupabaseClient,
  name: string,
  settings: ChannelSettings,
): Promise<void> {
  const args = { name, settings: toArguments(settings) };
  await inCamelCase(() => ask(client, "messenger_set_alert_channel", args));
}

/**
 * Deletes a channel with its secrets.
 * @throws NotFoundError if there is none of this name, ConflictError if alerts are told on it, and the other
 * errors of `callRpc`
 */
export async function deleteChannel(client: SupabaseClient, name: string): Promise<void> {
  await ask(client, "messenger_delete_alert_channel", { name });
}

/**
 * Tells a test on a channel.
 * @returns the id of the delivery
 * @throws NotFoundError if there is none of this name, and the other errors of `callRpc`
 */
export async function testChannel(client: SupabaseClient, name: string): Promise<string> {
  return (await ask<{ id: string }>(client, "messenger_test_alert_channel", { name })).id;
}

/**
 * Lists deliveries, the latest first.
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listDeliveries(
  client: SupabaseClient,
  page: DeliveryPage,
): Promise<{ deliveries: ListedDelivery[]; next: string | null }> {
  return ask(client, "messenger_list_alert_deliveries", page);
}

/** Returns a delivery with the outcome that is known by now; null if there is none. @throws the errors of `callRpc` */
export function showDelivery(client: SupabaseClient, id: string): Promise<ListedDelivery | null> {
  return ask(client, "messenger_show_alert_delivery", { id });
}

/**
 * Sends a delivery again that failed or waits.
 * @throws NotFoundError if there is none, ConflictError if it has arrived or is under way, and the other errors
 * of `callRpc`
 */
export async function retryDelivery(client: SupabaseClient, id: string): Promise<void> {
  await ask(client, "messenger_retry_alert_delivery", { id });
}

/** Calls, and names the field of a refusal as callers write it: `windowMs`, not `window_ms`. */
async function inCamelCase(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (cause) {
    // Those two name `name` or `id` alone.
    const isRefusal = cause instanceof RangeError && !(cause instanceof ConflictError) &&
      !(cause instanceof NotFoundError);
    if (!isRefusal) throw cause;
    const message = cause.message.replace(
      /^[a-z_]+: /,
      (field) => field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    throw new RangeError(message, { cause });
  }
}
