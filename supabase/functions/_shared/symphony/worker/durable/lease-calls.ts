/** Calls for the leases of several messages: how they are named, how long they are repeated, and what they tell. */

import { CancelledError, LeaseLostError } from "../../message/errors.ts";
import type { Logger } from "../../runtime/log.ts";
import type { LeaseAnswer } from "../../transport/durable-store.ts";
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

/**
 * Stops the tasks whose leases are lost, and those that were cancelled: no further step begins before the next
 * heartbeat would tell of it.
 */
export function stopTold(
  log: Logger,
  some: readonly OfTask[],
  { stale, cancelled = [] }: LeaseAnswer,
): void {
  if (stale.length > 0) log.warn("lease_lost", { ids: stale });
  for (const { task } of some) {
    const { id } = task.envelope;
    if (stale.includes(id)) task.stop(new LeaseLostError());
    else if (cancelled.includes(id)) task.stop(new CancelledError());
  }
}
