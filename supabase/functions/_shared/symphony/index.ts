/**
 * The door for those who write messages: definitions, errors, schedules, retries, cron, durations,
 * middleware, and the bus. It loads neither the worker nor what serves HTTP; edge.ts makes the
 * functions, testing.ts is for tests.
 */

import "./runtime/zod-version.ts";

// Messages
export { z } from "zod";
export { defineMessage } from "./message/define-message.ts";
export type {
  BatchMessageOptions,
  CallerOption,
  Failure,
  MessageDefinition,
  MessageOptions,
  MessageRules,
} from "./message/definition.ts";
export type { Access, AccessRequest, AccessRule, CallerChoices, Claims } from "./message/access.ts";
export type {
  BatchMember,
  DefinedMessage,
  DispatchBatchOptions,
} from "./message/dispatched-batch.ts";
export type { FollowedBatch } from "./message/followed-batch.ts";
export type { ChildMessage, ChildResult, ChildResults } from "./message/child-messages.ts";
export type { BatchEventStamp, BatchStamp } from "./message/batch-stamps.ts";
export type { Debounce, Dedupe } from "./message/dedupe.ts";
export type { DispatchOptions, MessageInput } from "./message/dispatch-options.ts";
export type {
  AttemptError,
  Envelope,
  OutgoingMessage,
  ScheduleStamp,
  Stamps,
  UserStamp,
} from "./message/envelope.ts";
export type { DeadReason } from "./message/dead-reason.ts";
export type { Rate, RateLimit } from "./message/rate-limit.ts";
export { type Duration, parseDuration } from "./runtime/duration.ts";

// Handlers
export type {
  BatchAnswer,
  BatchContext,
  BatchHandler,
  BatchMessage,
  BatchOptions,
  BatchResult,
} from "./message/batch-handler.ts";
export type {
  Dispatch,
  Handler,
  HandlerContext,
  MessageType,
  NamedHandler,
} from "./message/handler.ts";
export type {
  ContextBatchOptions,
  DurableContext,
  EffectOptions,
  SleepOptions,
  StepContext,
  StepOptions,
} from "./message/durable-context.ts";
export type { StepFailure } from "./message/stored-step.ts";
export { Snooze, snooze } from "./message/snooze.ts";
export type { LogFields, Logger, LogLevel } from "./runtime/log.ts";

// Events
export type { Events } from "./bus/events.ts";
export type { TokenOptions } from "./message/event-token.ts";
export {
  defineEvent,
  type EventAccess,
  type EventAccessRule,
  type EventDefinition,
  type EventOptions,
  type EventRequest,
} from "./message/event.ts";

// Webhooks
export { defineWebhook, type WebhookOptions } from "./webhooks/define-webhook.ts";
export { HostNotFoundError, WebhookRefusedError } from "./webhooks/webhook-errors.ts";

// Errors: what handlers throw, and what the library throws
export {
  AttemptOverError,
  CancelledError,
  ConflictError,
  CrashError,
  DispatchTimeoutError,
  DurableUsageError,
  type FromResponseOptions,
  type HandlerFailure,
  HandlersFailedError,
  HandlerTimeoutError,
  HttpError,
  type HttpErrorOptions,
  InvalidPayloadError,
  LeaseLostError,
  MessageExpiredError,
  MiddlewareError,
  NotFoundError,
  RecoverableError,
  type RecoverableErrorOptions,
  StepError,
  StepTimeoutError,
  SymphonyError,
  UnknownMessageTypeError,
  UnrecoverableError,
  WorkerStoppedError,
} from "./message/errors.ts";
export { RateLimitedError } from "./message/rate-limit.ts";
export { type JsonPath, UnstorableError } from "./runtime/json.ts";
export type { Capabilities } from "./transport/capabilities.ts";
export type { Receiver } from "./transport/receiver.ts";
export { type Sender, type Transport, TransportError } from "./transport/transport.ts";

// The bus
export type { MessageBus } from "./bus/bus.ts";
export type { Middleware } from "./bus/middleware.ts";
export { createMessenger, type Messenger, type MessengerOptions } from "./messenger.ts";
export type { Config } from "./runtime/config.ts";
export type { ProjectConfig } from "./project-config.ts";
export type { Route, RoutingOptions } from "./bus/routing.ts";
export { supabaseProject, type SupabaseProjectOptions } from "./transport/supabase-project.ts";

// Schedules
export { getNextCronTime, validateCronExpression } from "./scheduler/cron-parser.ts";
export { type DeclaredSchedule, defineSchedule } from "./scheduler/declared.ts";
export { previewSchedule } from "./scheduler/preview.ts";
export type { DisabledBy } from "./scheduler/own-schedule.ts";
export type {
  ListedSchedule,
  Schedule,
  ScheduledMessage,
  ScheduleRun,
} from "./scheduler/schedule.ts";
export type {
  CatchUp,
  Overlap,
  ScheduleChanges,
  ScheduleOptions,
  ScheduleSettings,
  ScheduleTimes,
  WhilePaused,
} from "./scheduler/schedule-options.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler/scheduler.ts";
export type {
  SavedSchedule,
  ScheduleFilter,
  SchedulePage,
  ScheduleStore,
} from "./scheduler/store.ts";

// Retries and dead letters
export {
  FixedDelaysRetryStrategy,
  FunctionRetryStrategy,
  type LinearBackoffOptions,
  LinearBackoffRetryStrategy,
} from "./retry/alternatives.ts";
export { type Classification, classifyError } from "./retry/classify.ts";
export {
  type FailedAttempt,
  RetryManager,
  type RetryManagerOptions,
  type RetryResult,
} from "./retry/manager.ts";
export {
  type BackoffOptions,
  type ExponentialBackoffOptions,
  ExponentialBackoffRetryStrategy,
  type RetryStrategy,
} from "./retry/strategy.ts";
export { redrive, type RedriveOptions, type RedriveResult } from "./dead-letters/redrive.ts";
