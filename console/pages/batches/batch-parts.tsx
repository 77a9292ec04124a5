/** A batch's state and its progress. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import type { IconName } from "../../components/icon.tsx";
import { formatNumber } from "../../components/relative-time.ts";

/** A batch of the API. */
export type Batch = Schemas["Batch"];

const STATES: Readonly<Record<Batch["status"], readonly [Tone, IconName, string]>> = {
  open: ["info", "plus", "Open"],
  running: ["info", "play", "Running"],
  cancelling: ["warn", "wait", "Cancelling"],
  handled: ["ok", "ok", "Handled"],
  failed: ["bad", "bad", "Failed"],
  cancelled: ["quiet", "close", "Cancelled"],
};

/** Shows the state of a batch. */
export function BatchState({ status }: Pick<Batch, "status">): JSX.Element {
  const [tone, icon, words] = STATES[status];
  return <Badge tone={tone} icon={icon}>{words}</Badge>;
}

/** Shows how many members are handled, failed and left, as a bar with its numbers. */
export function BatchProgress({ batch }: { readonly batch: Batch }): JSX.Element {
  const { total, handled, failed } = batch;
  const whole = Math.max(1, total);
  const done = `${formatNumber(handled + failed)} of ${formatNumber(total)}`;
  return (
    <span class="batch-progress">
      <svg class="batch-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="batch-bar-rest" width="100" height="6" />
        <rect class="batch-bar-handled" width={100 * handled / whole} height="6" />
        <rect
          class="batch-bar-failed"
          x={100 * handled / whole}
          width={100 * failed / whole}
          height="6"
        />
      </svg>
      <span>{done}</span>
    </span>
  );
}
