/** Calls for the leases of several messages: how they are named, how long a call is worth repeating, and lost ones. */

import { LeaseLostError } from "../../message/errors.ts";
import type { Logger } from "../../runtime/log.ts";
import type { CallDependencies } from "../calls.ts";
import type { Task } from "../run/task.ts";

/** Something that a call asks for one message. */
interface OfTask {
  readonly task: Task;
}

/** The lease of a message, as the transport takes it. */
export function leaseOf({ envelope: { id, leaseToken } }: Task) {
  return { id, leaseToken };
}

/** A failed call is repeated while one of its messages runs. */
export function whileAnyRuns<Parts>(
  parts: Parts,
  some: readonly OfTask[],
): Parts & Pick<CallDependencies, "keepTrying"> {
  return { ...parts, keepTrying: () => some.some(({ task }) => !task.isOver) };
}

/** Stops the tasks whose leases are lost. @param event name of the warning */
export function stopStale(
  log: Logger,
  event: string,
  some: readonly OfTask[],
  stale: readonly string[],
): void {
  if (stale.length === 0) return;
  log.warn(event, { ids: stale });
  for (const { task } of some) {
    if (stale.includes(task.envelope.id)) task.stop(new LeaseLostError());
  }
}
