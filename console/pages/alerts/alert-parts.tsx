/** States of alerts and of their deliveries. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import type { IconName } from "../../components/icon.tsx";

/** An alert of the API. */
export type Alert = Schemas["Alert"];
/** A delivery of the API, in a list or within its channel. */
export type Delivery = Schemas["AlertDelivery"];

const STATES: Readonly<Record<Alert["state"], readonly [Tone, string]>> = {
  firing: ["bad", "Firing"],
  cooling_down: ["info", "Cooling down"],
  resolved: ["ok", "Resolved"],
};

/** Shows the state of an alert. */
export function AlertState({ alert }: { readonly alert: Alert }): JSX.Element {
  if (!alert.enabled) return <Badge tone="quiet" icon="pause">Disabled</Badge>;
  if (alert.error !== null) {
    return <Badge tone="warn" title={alert.error}>Cannot be checked</Badge>;
  }
  const [tone, words] = STATES[alert.state];
  return <Badge tone={tone}>{words}</Badge>;
}

const DELIVERIES: Readonly<Record<Delivery["status"], readonly [Tone, IconName, string]>> = {
  pending: ["info", "wait", "Waits"],
  sent: ["info", "next", "Sent"],
  delivered: ["ok", "ok", "Delivered"],
  failed: ["bad", "bad", "Failed"],
};

/** Shows the state of a delivery, with the HTTP status of the receiver's answer. */
export function DeliveryState(
  { delivery }: { readonly delivery: Pick<Delivery, "status" | "statusCode" | "error"> },
): JSX.Element {
  const [tone, icon, words] = DELIVERIES[delivery.status];
  return (
    <Badge tone={tone} icon={icon} title={delivery.error ?? undefined}>
      {words}
      {delivery.statusCode !== null && ` ${delivery.statusCode}`}
    </Badge>
  );
}
