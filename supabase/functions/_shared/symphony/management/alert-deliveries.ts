/** Deliveries of alerts: list, show, send again. */

import { z } from "@hono/zod-openapi";
import { actingAs } from "../database/acting.ts";
import { listDeliveries, retryDelivery, showDelivery } from "../database/alert-settings.ts";
import { NotFoundError } from "../message/errors.ts";
import { alertName, delivery, deliveryStatus } from "./alert-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import { cursor, id, limit, next, toCursor } from "./query-fields.ts";

const tag = "alerts";
const path = "/alert-deliveries/{id}";
const params = z.object({ id });

/** Adds the endpoints of deliveries. */
export function addAlertDeliveries(app: ManagementApp, { supabase }: ManagementParts): void {
  const show = async (id: string) => {
    const found = await showDelivery(supabase, id);
    if (!found) throw new NotFoundError(`id: there is no delivery ${id}`);
    return found;
  };

  addEndpoint(app, {
    method: "get",
    path: "/alert-deliveries",
    operationId: "listAlertDeliveries",
    tag,
    summary: "Lists what was told of alerts, the latest first",
    query: z.strictObject({
      alert: alertName.optional(),
      channel: alertName.optional(),
      status: deliveryStatus.optional(),
      limit,
      cursor: cursor(id),
    }),
    answer: z.object({ deliveries: z.array(delivery), next }),
  }, async ({ query: { limit, cursor: beforeId, ...filter } }) => {
    const page = await listDeliveries(supabase, { ...filter, beforeId, maxDeliveries: limit });
    return { deliveries: page.deliveries, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getAlertDelivery",
    tag,
    summary: "Shows a delivery, with the answer that has come by now",
    params,
    answer: delivery,
  }, ({ params }) => show(params.id));

  addEndpoint(app, {
    method: "post",
    path: `${path}/retry`,
    operationId: "retryAlertDelivery",
    tag,
    summary: "Sends a delivery now that failed or waits, and tries it for another day",
    params,
    answer: delivery,
  }, async ({ params, operator }) => {
    await retryDelivery(actingAs(supabase, operator.actor), params.id);
    return await show(params.id);
  });
}
