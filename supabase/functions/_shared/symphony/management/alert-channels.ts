/** Channels of alerts: list, show, set, delete, test. */

import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../database/acting.ts";
import {
  deleteChannel,
  listChannels,
  setChannel,
  showDelivery,
  testChannel,
} from "../database/alert-settings.ts";
import { NotFoundError } from "../message/errors.ts";
import { alertName, channel, channelBody, delivery } from "./alert-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";

const tag = "alerts";
const path = "/alert-channels/{name}";
const params = z.object({ name: alertName });

/** Longest time for which a test waits for its outcome, in ms. */
const OUTCOME_WAIT_MS = 5_000;
/** Interval between two looks for the outcome, in ms. */
const OUTCOME_INTERVAL_MS = 300;

/** Adds the endpoints of channels. */
export function addAlertChannels(app: ManagementApp, { supabase }: ManagementParts): void {
  addReading(app, supabase);
  addSetting(app, supabase);
  addTest(app, supabase);
}

async function show(supabase: SupabaseClient, name: string) {
  const [found] = await listChannels(supabase, name);
  if (!found) throw new NotFoundError(`name: there is no channel ${name}`);
  return found;
}

function addReading(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/alert-channels",
    operationId: "listAlertChannels",
    tag,
    summary: "Lists the channels of alerts by name, without their secrets",
    answer: z.object({ channels: z.array(channel) }),
  }, async () => ({ channels: await listChannels(supabase) }));

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getAlertChannel",
    tag,
    summary: "Shows a channel without its secrets",
    params,
    answer: channel,
  }, ({ params }) => show(supabase, params.name));
}

function addSetting(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "put",
    path,
    operationId: "setAlertChannel",
    tag,
    summary: "Makes a channel, or sets it",
    description: "The URL and the signing secret go into Vault, and no endpoint tells them.",
    params,
    body: channelBody,
    answer: channel,
  }, async ({ params, body, operator }) => {
    await setChannel(actingAs(supabase, operator.actor), params.name, body);
    return await show(supabase, params.name);
  });

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "deleteAlertChannel",
    tag,
    summary: "Deletes a channel with its secrets, unless alerts are told on it",
    params,
    answer: z.object({ removed: z.boolean() }),
  }, async ({ params, operator }) => {
    await deleteChannel(actingAs(supabase, operator.actor), params.name);
    return { removed: true };
  });
}

function addTest(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "post",
    path: `${path}/test`,
    operationId: "testAlertChannel",
    tag,
    summary: "Tells a test on a channel, once, and waits up to 5 s for its outcome",
    description: "The status is `sent` if the outcome is not known by then.",
    params,
    answer: delivery,
  }, async ({ params, operator }) => {
    const id = await testChannel(actingAs(supabase, operator.actor), params.name);
    return await outcomeOf(supabase, id);
  });
}

async function outcomeOf(supabase: SupabaseClient, id: string) {
  const deadline = performance.now() + OUTCOME_WAIT_MS;
  for (;;) {
    const found = await showDelivery(supabase, id);
    if (!found) throw new NotFoundError(`id: there is no delivery ${id}`);
    if (found.finishedAt !== null || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, OUTCOME_INTERVAL_MS));
  }
}
