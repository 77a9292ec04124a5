/** Parts of the pages of transports: their state, and sizes. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { type Resource, useResource } from "../../api/use-resource.ts";
import { Badge } from "../../components/badge.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Time, useNow } from "../../components/time.tsx";
import { useApi } from "../../shell/session.tsx";

/** How a transport stands, as the API tells it. */
export type Transport = Schemas["TransportStatus"];

/** The API counts what waits, which takes 0.25 s with 100,000 messages in the outbox. */
const EVERY_MS = 10_000;

/** All transports of the project: there are a few, so that the API has no pages of them. */
export function useTransports(): Resource<{ readonly transports: readonly Transport[] }> {
  const api = useApi();
  return useResource(
    "transports",
    (signal) => answerOf(api.GET("/transports", { signal })),
    { everyMs: EVERY_MS },
  );
}

/** Whether its last publishes have failed, so that it is tried again later. */
export function isAway({ failures }: Transport): boolean {
  return (failures ?? 0) > 0;
}

/** Whether messages wait that none will publish, because the code declares the transport no more. */
export function isForsaken({ declared, waiting }: Transport): boolean {
  return !declared && waiting.count > 0;
}

/** Marks a transport that needs attention. */
export function toneOf(transport: Transport): "bad" | "warn" | undefined {
  if (isAway(transport) || isForsaken(transport)) return "bad";
  return transport.refused > 0 ? "warn" : undefined;
}

/** Shows whether messages reach a transport. */
export function TransportState({ transport }: { readonly transport: Transport }): JSX.Element {
  const { declared, refused, failures } = transport;
  if (!declared) {
    return (
      <Badge
        tone={isForsaken(transport) ? "bad" : "quiet"}
        title="The deployed code does not declare it"
      >
        Not declared
      </Badge>
    );
  }
  if (isAway(transport)) {
    return <Badge tone="bad" title={`${failures} failures in a row`}>Away</Badge>;
  }
  if (refused > 0) {
    return <Badge tone="warn" title={`${refused} messages are refused`}>Refused</Badge>;
  }
  return <Badge tone="ok">Ready</Badge>;
}

/** Shows when a transport that is away is tried again. */
export function NextTry({ transport }: { readonly transport: Transport }): JSX.Element {
  const { retryAt } = transport;
  const now = useNow();
  // A tick that ran before has not come to it.
  if (retryAt !== null && Date.parse(retryAt) <= now) return <>at the next tick</>;
  return <Time at={retryAt} />;
}

/** Types and patterns that lead to a transport, in words. */
export function routeWords({ routes = [] }: Partial<Pick<Transport, "routes">>): string {
  return routes.length > 0 ? routes.join(", ") : "none by name";
}

const UNITS = ["B", "kB", "MB", "GB"] as const;

/** A size by its largest unit: `4.2 MB`. */
export function formatBytes(bytes: number): string {
  let [size, unit] = [bytes, 0];
  for (; size >= 1_000 && unit < UNITS.length - 1; unit++) size /= 1_000;
  return `${formatNumber(size < 10 && unit > 0 ? Math.round(size * 10) / 10 : Math.round(size))} ${
    UNITS[unit]
  }`;
}
