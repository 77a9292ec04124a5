/** The door for tests: the transport in memory. No deployed function loads it. */

export { type DeadLetter, InMemoryTransport } from "./transport/memory.ts";
export type { QueueSettings } from "./transport/memory-queues.ts";
