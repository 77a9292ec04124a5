/** Alerts: list, show, create, change, delete. */

import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../database/acting.ts";
import { createAlert, deleteAlert, listAlerts, setAlert } from "../database/alert-settings.ts";
import { NotFoundError } from "../message/errors.ts";
import { alert, alertChanges, alertName, newAlert } from "./alert-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";

const tag = "alerts";
const path = "/alerts/{name}";
const params = z.object({ name: alertName });

/** An alert as an answer. The database keeps its rules to those that the schema knows. */
type Answer = z.input<typeof alert>;

/** Adds the endpoints of alerts. */
export function addAlerts(app: ManagementApp, { supabase }: ManagementParts): void {
  addReading(app, supabase);
  addChanges(app, supabase);
}

async function show(supabase: SupabaseClient, name: string): Promise<Answer> {
  const [found] = await listAlerts(supabase, name);
  if (!found) throw new NotFoundError(`name: there is no alert ${name}`);
  return found as Answer;
}

function addReading(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/alerts",
    operationId: "listAlerts",
    tag,
    summary: "Lists alerts by name, with their state",
    answer: z.object({ alerts: z.array(alert) }),
  }, async () => ({ alerts: await listAlerts(supabase) as Answer[] }));

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getAlert",
    tag,
    summary: "Shows an alert",
    params,
    answer: alert,
  }, ({ params }) => show(supabase, params.name));
}

function addChanges(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "post",
    path: "/alerts",
    operationId: "createAlert",
    tag,
    summary: "Makes an alert",
    description: "A threshold and a window that are left out are the defaults of the rule.",
    body: newAlert,
    answer: alert,
    statuses: { 201: "The alert" },
  }, async ({ body: { name, rule, ...settings }, operator }) => {
    await createAlert(actingAs(supabase, operator.actor), name, rule, settings);
    return await show(supabase, name);
  });

  addEndpoint(app, {
    method: "patch",
    path,
    operationId: "updateAlert",
    tag,
    summary: "Changes the given settings; null removes a filter",
    params,
    body: alertChanges,
    answer: alert,
  }, async ({ params, body, operator }) => {
    await setAlert(actingAs(supabase, operator.actor), params.name, body);
    return await show(supabase, params.name);
  });

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "deleteAlert",
    tag,
    summary: "Deletes an alert; a setup does not make a default one again",
    params,
    answer: z.object({ removed: z.boolean() }),
  }, async ({ params, operator }) => {
    await deleteAlert(actingAs(supabase, operator.actor), params.name);
    return { removed: true };
  });
}
