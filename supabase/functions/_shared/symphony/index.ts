/** The public surface of Symphony Messenger. */

export * from "./batch.ts";
export * from "./bus.ts";
export * from "./config.ts";
export * from "./dedupe.ts";
export * from "./duration.ts";
export * from "./envelope.ts";
export * from "./errors.ts";
export * from "./http/app.ts";
export * from "./http/background.ts";
export * from "./http/caller.ts";
export * from "./http/dispatch-body.ts";
export * from "./http/problem.ts";
export * from "./http/schedule-body.ts";
export * from "./log.ts";
export * from "./message.ts";
export * from "./messenger.ts";
export * from "./outcome.ts";
export * from "./retry/index.ts";
export * from "./scheduler/index.ts";
export * from "./snooze.ts";
export * from "./stray-errors.ts";
export * from "./transport/memory.ts";
export type { QueueSettings } from "./transport/memory-queues.ts";
export * from "./transport/supabase.ts";
export * from "./transport/transport.ts";
export * from "./worker/options.ts";
export * from "./worker/worker.ts";
