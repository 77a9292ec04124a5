/** How far a message of the outbox is. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";

/** Shows how far a message is. */
export function OutboxState(
  { message: { sentAt, refusals, due } }: { readonly message: Schemas["OutboxMessage"] },
): JSX.Element {
  if (sentAt !== null) return <Badge tone="ok">Sent</Badge>;
  if (refusals > 0) {
    return <Badge tone="bad">Refused {refusals === 1 ? "once" : `${refusals} times`}</Badge>;
  }
  return due
    ? <Badge tone="info" icon="play">Due</Badge>
    : <Badge tone="quiet" icon="wait">Waits</Badge>;
}
