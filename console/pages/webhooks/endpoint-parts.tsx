/** Parts of the pages of webhooks: the state of an endpoint, the fields of its form. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { type FormField, NAME_FIELD } from "../../forms/form-fields.ts";

/** An endpoint of the API. */
export type Endpoint = Schemas["WebhookEndpoint"];

/** Shows whether events are published to an endpoint. */
export function EndpointState({ endpoint }: { readonly endpoint: Endpoint }): JSX.Element {
  const { disabledBy, disabledReason, failingSince } = endpoint;
  if (disabledBy === null) {
    return failingSince === null
      ? <Badge tone="ok">Enabled</Badge>
      : <Badge tone="bad" title="No call has succeeded since its first failure">Failing</Badge>;
  }
  return (
    <Badge
      tone={disabledBy === "operator" ? "warn" : "bad"}
      icon="pause"
      title={disabledReason ?? undefined}
    >
      Disabled
    </Badge>
  );
}

/** The largest number of calls in a period, in words. */
export function rateWords({ rateLimit, ratePeriodMs }: Endpoint): string {
  return rateLimit === null
    ? "no limit"
    : `${formatNumber(rateLimit)} in ${formatDuration(ratePeriodMs)}`;
}

/** Settings of an endpoint that exists. */
export const ENDPOINT_FIELDS: readonly FormField[] = [
  {
    name: "url",
    label: "URL",
    hint: "https, at a public address",
    kind: "text",
    presence: "required",
  },
  {
    name: "events",
    label: "Events",
    hint: "Names and patterns such as order.*, apart by spaces; * is all",
    kind: "words",
  },
  {
    name: "rateLimit",
    label: "Rate limit",
    hint: "Calls within the period; empty: no limit",
    kind: "number",
    presence: "optional",
  },
  { name: "ratePeriodMs", label: "Period", hint: "Of the rate limit, 1s to 1d", kind: "duration" },
  {
    name: "disableAfterMs",
    label: "Disable after",
    hint: "How long every call may fail; empty: never",
    kind: "duration",
    presence: "optional",
  },
  { name: "secret", label: "Secret", hint: "Name of a secret in Vault, webhook_...", kind: "text" },
];

/** Settings of an endpoint that is to be made. */
export const NEW_ENDPOINT_FIELDS: readonly FormField[] = [
  NAME_FIELD,
  ...ENDPOINT_FIELDS.map((field) =>
    field.name === "secret"
      ? { ...field, hint: "Of Vault, webhook_...; empty: one is made" }
      : field
  ),
];

/** The texts that the form of a new endpoint begins with. */
export const NEW_ENDPOINT = { events: "*", ratePeriodMs: "1s", disableAfterMs: "5d" };
