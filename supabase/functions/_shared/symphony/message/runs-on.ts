/** Where a message runs: in ticks, or in resident workers only. A message of the latter has a queue of its own. */

import { showValue } from "../runtime/inspect.ts";
import type { MessageDefinition, RunsOn } from "./definition.ts";
import { UnrecoverableError } from "./errors.ts";

/**
 * Checks the option `runsOn`.
 * @throws RangeError if it is neither, or goes with the queue `default`, which ticks serve
 */
export function checkRunsOn(runsOn: unknown, type: string, queue: string): RunsOn {
  if (runsOn !== "tick" && runsOn !== "worker") {
    throw new RangeError(`${type}: runsOn: has to be tick or worker; got ${showValue(runsOn)}`);
  }
  if (runsOn === "worker" && queue === "default") {
    throw new RangeError(
      `${type}: runsOn: worker needs a queue of its own, and default is served by ticks; give queue: "..."`,
    );
  }
  return runsOn;
}

/**
 * The queues of the messages that run on workers.
 * @throws RangeError if a message that runs in ticks has one of these queues
 */
export function workerQueues(messages: Iterable<MessageDefinition>): readonly string[] {
  const all = [...messages];
  const onWorker = all.filter(({ runsOn }) => runsOn === "worker");
  const names = new Set(onWorker.map(({ queue }) => queue));
  const other = all.find(({ runsOn, queue }) => runsOn === "tick" && names.has(queue));
  if (!other) return [...names].sort();
  const { type } = onWorker.find(({ queue }) => queue === other.queue) ?? other;
  throw new RangeError(
    `${other.type}: queue: ${other.queue} runs on workers because of ${type}; give ${other.type} runsOn: "worker" or another queue`,
  );
}

/** A message that runs on workers was dispatched into a queue that ticks serve. */
export class WrongQueueError extends UnrecoverableError {
  constructor(definition: MessageDefinition, queue: string, options?: ErrorOptions) {
    super(
      `queue: ${definition.type} runs on workers, which find it in the queue ${definition.queue} (dispatched into ${queue}); dispatch or redrive it into ${definition.queue}`,
      options,
    );
  }
}
