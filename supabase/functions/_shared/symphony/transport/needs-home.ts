/** Which outcomes of a delivery are more than a note that it is handled. */

import type { Stamps } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";

/** Whether an outcome has consequences at home: effects, a kept result, another attempt, a schedule, a batch. */
export function needsHome({ outcome, effects }: Settlement, stamps: Stamps): boolean {
  if (outcome.kind !== "handled" || effects) return true;
  return outcome.keepMs !== undefined || outcome.progressed === true || outcome.durable === true ||
    stamps.schedule !== undefined || stamps.batch !== undefined;
}
