/** Shared by the steps of run/run.ts: the tools of the worker, and what the steps learn about one attempt. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../../bus/bus.ts";
import type { MessageDefinition } from "../../message/definition.ts";
import type { HandlerContext } from "../../message/handler.ts";
import type { Snooze } from "../../message/snooze.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { Logger } from "../../runtime/log.ts";
import type { DurableRun } from "../durable/durable-run.ts";
import type { DurableAttempt, DurableTools } from "../durable/durable-call.ts";
import type { StepResult } from "../durable/result.ts";
import type { Deadlines } from "./deadlines.ts";
import type { EffectBuffer } from "./effect-buffer.ts";
import type { EffectRoom } from "./effect-room.ts";
import type { FormerRuns } from "./former-runs.ts";
import type { ProgressReporter } from "./progress.ts";
import type { ReservedIds } from "../../bus/reserved-ids.ts";
import type { AttemptSpan } from "../../tracing/attempt-span.ts";
import type { Task } from "./task.ts";

/** The tools of a run, beside the message. */
export interface RunTools extends DurableTools {
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Ids for what handlers dispatch. */
  readonly ids: ReservedIds;
  /** Bounds what handlers dispatch at once. */
  readonly effectRoom: EffectRoom;
  readonly deadlines: Deadlines;
  readonly formerRuns: FormerRuns;
  /** Whether the run is a tick, which has the limits of a function; default: no. */
  readonly isTick?: boolean;
  /** Waits until a handler may start; by default handlers start at once. */
  readonly yieldToLoop?: () => Promise<void>;
  /** Writes the progress that handlers report; by default it is not written. */
  readonly progress?: ProgressReporter;
}

/** How far an attempt has come. */
export interface Attempt extends DurableAttempt {
  readonly task: Task;
  /** Its span; undefined where no tracing is registered. */
  readonly span: AttemptSpan | undefined;
  /** When its timeout began, on the clock of performance.now(). */
  startedAt: number;
  /** Whether middleware or handlers may have run: then an error is theirs. */
  hasBegun: boolean;
  /** Names of the handlers that have succeeded, in this attempt and before. */
  readonly handledBy: string[];
  readonly snoozes: Snooze[];
  /** The value that its only handler returned, as JSON, where it is kept. */
  result?: StepResult;
  /** Its durable side, if it has made a durable call. */
  durable?: DurableRun | undefined;
  /** The dispatches of its handlers; made at the first one. */
  effects?: EffectBuffer | undefined;
  /** The dispatches of the batch handler; shared by all messages of the call. */
  batchEffects?: EffectBuffer;
  /** How many dispatches of parked runs this run has repeated, by handler and type. */
  repeated?: Map<string, number>;
}

/** An attempt whose message has passed its checks: what its handlers are called with. */
export interface Ready {
  readonly attempt: Attempt;
  readonly definition: MessageDefinition;
  /** The payload as the schema returns it. */
  readonly payload: unknown;
  /** Parses the payload once more, for another handler. */
  readonly read: () => unknown;
  readonly ctx: HandlerContext;
}

/** Calls the handlers of one message, and notes in its attempt what they have done. */
export type CallHandlers = (ready: Ready) => Promise<void>;
