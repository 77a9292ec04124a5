/**
 * Lanes: queues under one queue, one for each tenant. The lane `acme` of the queue `reports` is the queue
 * `reports/acme`.
 */

import { showValue } from "../runtime/inspect.ts";
import type { MessageDefinition } from "./definition.ts";

/** Longest name of a lane, in bytes of UTF-8. */
const LONGEST_LANE = 100;
const LONE_SURROGATE = /\p{Cs}/u;
const NO_NAME = /[^A-Za-z0-9_.:-]/gu;

/** The queue without its lane: `reports` of `reports/acme`, and of `reports`. */
export function parentQueue(queue: string): string {
  const slash = queue.indexOf("/");
  return slash === -1 ? queue : queue.slice(0, slash);
}

/** Whether a queue is a lane of another. */
export function isLane(queue: string): boolean {
  return queue.includes("/");
}

/**
 * The queue of a lane. Each byte that no queue may have in its name is written as %XX, so that any text names a lane.
 * @throws RangeError if the lane is no text of 1 to 100 bytes, or the queue names a lane already
 */
export function laneQueue(queue: string, lane: unknown, field = "lane"): string {
  if (typeof lane !== "string" || LONE_SURROGATE.test(lane)) {
    throw new RangeError(`${field}: has to be a string; got ${showValue(lane)}`);
  }
  const bytes = new TextEncoder().encode(lane).length;
  if (bytes < 1 || bytes > LONGEST_LANE || lane.includes("\0")) {
    throw new RangeError(
      `${field}: has to be 1 to ${LONGEST_LANE} bytes without U+0000 (was ${bytes})`,
    );
  }
  if (isLane(queue)) {
    throw new RangeError(
      `${field}: does not go with the queue ${queue}, which names a lane already`,
    );
  }
  return `${queue}/${lane.replace(NO_NAME, escaped)}`;
}

function escaped(character: string): string {
  const bytes = Array.from(new TextEncoder().encode(character));
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/**
 * The queue of a message: of the lane that a dispatch gives, or else that its definition finds in the payload. A queue
 * that names a lane is taken as it is.
 * @param payload as the definition's schema returns it
 * @throws RangeError if the lane is wrong
 * @throws TypeError if the definition's `lane` throws or returns no string
 */
export function queueOf(
  definition: Pick<MessageDefinition, "type" | "queue" | "lane">,
  payload: unknown,
  { queue = definition.queue, lane }: { readonly queue?: string; readonly lane?: string },
): string {
  if (lane !== undefined) return laneQueue(queue, lane);
  if (definition.lane === undefined || isLane(queue)) return queue;
  const field = `${definition.type}: lane`;
  let found: unknown;
  try {
    found = definition.lane(payload);
  } catch (cause) {
    throw new TypeError(`${field}: threw ${showValue(cause)}`, { cause });
  }
  if (typeof found !== "string") {
    if (found instanceof Promise) found.catch(() => {});
    throw new TypeError(`${field}: has to return a string; returned ${showValue(found)}`);
  }
  return laneQueue(queue, found, field);
}
