/** The state of a message that waits or runs, as a badge. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";
import { useNow } from "../../components/time.tsx";

/** The part of a message that tells its state. */
export type Stateful = Pick<
  Schemas["MessageSummary"],
  "status" | "availableAt" | "blocked" | "cancelled" | "quarantined" | "retryCount"
>;

/** Shows what the message does, or for what it waits. */
export function MessageState({ message }: { readonly message: Stateful }): JSX.Element {
  const now = useNow();
  const { status, availableAt, blocked, cancelled, quarantined, retryCount } = message;
  if (status === "processing") {
    return cancelled
      ? <Badge tone="warn" icon="wait" title="Stops at its worker's next heartbeat">stopping</Badge>
      : <Badge tone="info" icon="play">running</Badge>;
  }
  if (blocked) {
    return (
      <Badge tone="quiet" icon="pause" title="It waits for an earlier message of its group">
        blocked
      </Badge>
    );
  }
  if (Date.parse(availableAt) > now) {
    return retryCount > 0
      ? <Badge tone="warn" icon="reload">retrying</Badge>
      : <Badge tone="quiet" icon="wait">delayed</Badge>;
  }
  if (quarantined) {
    return (
      <Badge tone="warn" title="It was in a crash: it runs with no other beside it">
        quarantined
      </Badge>
    );
  }
  return <Badge tone="ok" icon="dot">due</Badge>;
}

/** Whether running it now would change anything. */
export function canRunNow({ status, availableAt }: Stateful, now: number): boolean {
  return status === "pending" && Date.parse(availableAt) > now;
}
