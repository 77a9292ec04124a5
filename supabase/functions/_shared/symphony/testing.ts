/**
 * The door for tests: a messenger in memory whose clock a test moves. No deployed function loads it.
 *
 * ```ts
 * import { createTestMessenger } from "../_shared/symphony/testing.ts";
 * import { messages } from "./mod.ts";
 *
 * Deno.test("a welcome mail is sent", async () => {
 *   const t = createTestMessenger({ messages });
 *   await t.dispatch(SignUp, { email: "ada@example.org" });
 *   await t.drain();
 *   t.assertDispatched(EmailMessage, { to: "ada@example.org" });
 * });
 * ```
 */

import "./runtime/zod-version.ts";

export {
  type AssertDispatchedOptions,
  DispatchAssertionError,
  type PartialPayload,
} from "./testing/assert-dispatched.ts";
export type { DrainOptions } from "./testing/drain.ts";
export { InMemoryScheduleStore } from "./testing/memory-schedules.ts";
export {
  createTestMessenger,
  type TestDeadLetter,
  TestMessenger,
  type TestMessengerOptions,
} from "./testing/test-messenger.ts";
export type { DeadLetter } from "./transport/memory-finished.ts";
export type { StoredEvent } from "./transport/event-reads.ts";
export type { StoredEnvelope } from "./transport/memory-rows.ts";
export type { SqlFunction } from "./transport/memory-functions.ts";
export { InMemoryTransport } from "./transport/memory.ts";
export type { QueueSettings } from "./transport/memory-queues.ts";
export type { WorkerReport } from "./worker/worker-options.ts";
