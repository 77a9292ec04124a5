/**
 * A typed client for browsers and servers, over supabase-js. At run time it imports only this library's own
 * small files.
 */

export {
  createMessengerClient,
  type MessengerClient,
  type MessengerClientOptions,
} from "./client.ts";
export {
  type BatchesClient,
  type BatchEvent,
  type BatchOptions,
  createBatches,
  type DispatchedBatch,
} from "./batches.ts";
export {
  createDispatcher,
  type Dispatched,
  type DispatcherOptions,
  type Dispatching,
  type DispatchOptions,
  type Outgoing,
  type OutgoingByName,
} from "./dispatch.ts";
export type { Connection, FollowedState, MessageObserver, MessageView } from "./entry.ts";
export { isMessengerError, type Issue, MessengerError, type MessengerErrorCode } from "./errors.ts";
export type { MessageStates } from "./follow.ts";
export type { BatchId, BatchRef, MessageId, MessageRef, ScheduleId, ScheduleRef } from "./ids.ts";
export type { Job } from "./job.ts";
export {
  type AnyMessages,
  message,
  type MessagesShape,
  type MessageType,
  type TypeOf,
} from "./message.ts";
export type { ListOptions, PageOptions } from "./own.ts";
export type { Abortable, RequestOptions } from "./request.ts";
export type { OwnScheduleChanges, Scheduled, SchedulesClient } from "./schedules.ts";
export type { SessionStore } from "./session.ts";
export type { ChannelLike, FunctionsLike, SupabaseLike } from "./supabase.ts";
export type { Duration } from "../supabase/functions/_shared/symphony/runtime/duration.ts";
export type {
  FollowedBatch,
  OwnBatches,
} from "../supabase/functions/_shared/symphony/message/followed-batch.ts";
export type {
  FollowedMessage,
  FollowedMessages,
  FollowedProgress,
  FollowedSteps,
  OwnMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
export type {
  OwnSchedule,
  OwnSchedules,
} from "../supabase/functions/_shared/symphony/scheduler/own-schedule.ts";
export type {
  ScheduleChanges,
  ScheduleOptions,
} from "../supabase/functions/_shared/symphony/scheduler/schedule-options.ts";
