/** The durable part of a handler's context: steps whose results are stored, and pauses that hold no worker. */

import type { z } from "zod";
import type { TokenOptions } from "./event-token.ts";
import type { RetryStrategy } from "../retry/strategy.ts";
import type { BackoffOptions } from "../retry/strategy-options.ts";
import type { ChildMessage, ChildResults } from "./child-messages.ts";
import type { BatchMember, DispatchBatchOptions } from "./dispatched-batch.ts";
import type { Duration } from "../runtime/duration.ts";

/** The argument of a step's function. */
export interface StepContext {
  /**
   * An idempotency key: the same whenever this step runs again, after a failure, a crash or a redrive, and another
   * for every other step. 64 hexadecimal digits.
   */
  readonly key: string;
  /** Aborted at the step's timeout, and when the message's `ctx.signal` is. */
  readonly signal: AbortSignal;
}

/** Options of `ctx.step`. */
export interface StepOptions {
  /** Tells steps of one name apart that run at once, such as the id of the item that each works on. */
  readonly key?: string;
  /** Retries of this step, in place of the message's; options that are left out are the message's. */
  readonly retry?: BackoffOptions | RetryStrategy;
  /** Longest time of the function; default: until the end of the message's `timeout`. */
  readonly timeout?: Duration;
}

/** Options of `ctx.effect`. */
export interface EffectOptions {
  /** Tells effects of one function apart that run at once. */
  readonly key?: string;
  /** Retries of this effect, in place of the message's; options that are left out are the message's. */
  readonly retry?: BackoffOptions | RetryStrategy;
  /**
   * After this time the effect has failed, and is retried as such; default: none of its own. The function ends by
   * itself, or by the database's time limit. If it succeeds after all, this attempt or the retry gets its result.
   */
  readonly timeout?: Duration;
}

/** Options of `ctx.dispatchBatch`: those of a batch, and those of a step, whose name is the batch's. */
export interface ContextBatchOptions
  extends Omit<DispatchBatchOptions, "idempotencyKey">, StepOptions {}

/** Options of `ctx.sleep` and `ctx.sleepUntil`. */
export interface SleepOptions {
  /** The message leaves its group, so that the next message of the group may run; default: it keeps its place. */
  readonly leaveGroup?: boolean;
}

/** Options of `ctx.waitFor`. */
export interface WaitOptions<Schema extends z.ZodType = z.ZodType> {
  /**
   * The value that is waited for; events with other values are passed over. Default: the declared event's schema, which
   * is best given here as well (`schema: Approved.schema`), for the value's type.
   */
  readonly schema?: Schema;
  /** Longest wait; default: 30 days, at most 400. */
  readonly timeout?: Duration;
  /** Events of before the message's dispatch count too: of this time before it, or since this moment. */
  readonly since?: Duration | Date;
}

/** An event that was waited for. */
export interface TakenEvent<Value> {
  /** The event's key, one of those that were given. */
  readonly key: string;
  /** Its value as the schema returns it; null if the event tells nothing. */
  readonly value: Value;
}

/**
 * Durable calls. A handler that makes them runs from its top whenever its message is claimed, and finds what is
 * stored: each step is computed once, in order, over crashes, deploys and retries. They throw DurableUsageError in
 * middleware, in a batch handler, inside the function of a step, and for a wrong argument or option.
 */
export interface DurableContext {
  /**
   * Runs a function once, and stores its result: later runs of the handler get the stored one.
   *
   * A failure that is retried ends the run: the promise does not settle, and the message comes again after the
   * delay. If no retry is left or none can help, the failure is stored and thrown as StepError, in this run and in
   * every later one.
   *
   * ```ts
   * const charge = await ctx.step("charge", ({ key }) => stripe.charge(payload, { idempotencyKey: key }));
   * ```
   *
   * @param name 1 to 255 characters; a loop may use it again once its last call has settled
   * @returns the JSON copy of what the function returned, at most 256 kB
   * @throws StepError if it has failed for good: also if the result is no JSON or too large, and at the 1,001st step
   */
  readonly step: <Result>(
    name: string,
    fn: (step: StepContext) => Result | Promise<Result>,
    options?: StepOptions,
  ) => Promise<Result>;
  /**
   * Runs a SQL function of the schema public exactly once: the function takes effect and its result is stored in one
   * transaction, under the message's lease. Deferred constraints are checked within it. It is a step like those of
   * `step`, with the same retries. Its call has the time limit of the Data API, a few seconds.
   *
   * ```ts
   * const order = await ctx.effect<{ id: string }>("book_order", { customer: payload.customer });
   * ```
   *
   * @param sqlFunction name of a function that `service_role` may execute
   * @param args its arguments by name, as JSON; those with defaults may be left out
   * @returns a value, a row as an object, rows as an array; undefined for void; a number that is NaN or infinite is refused
   * @throws StepError if it has failed for good
   */
  readonly effect: <Result = unknown>(
    sqlFunction: string,
    args?: Readonly<Record<string, unknown>>,
    options?: EffectOptions,
  ) => Promise<Result>;
  /**
   * Pauses the message for a time of at most 400 days, from this call on, once. Meanwhile it holds neither a slot nor a place in its
   * queue's concurrency. @throws DurableUsageError while another pause or wait of the message is pending
   */
  readonly sleep: (duration: Duration, options?: SleepOptions) => Promise<void>;
  /** Pauses the message until a moment, at most 400 days ahead; does nothing if that is over. See `sleep`. */
  readonly sleepUntil: (date: Date, options?: SleepOptions) => Promise<void>;
  /**
   * Waits for an event, and returns the first one of its key that fits the schema: one emitted since the message was
   * dispatched, and after the last one of that key that this handler took. Events that do not fit are passed over,
   * and logged. Each message that waits gets the event. Meanwhile the message holds neither a slot nor a place in its
   * queue's concurrency. The outcome is stored, and the same in every later run.
   *
   * ```ts
   * const approval = await ctx.waitFor(`approved:${order}`, { schema: Approval, timeout: "7d" });
   * if (approval === null) return await ctx.step("remind", () => remind(order));
   * ```
   *
   * @param event key of the event, or up to 10 keys: the first event of any of them
   * @returns null if the time is over
   * @throws DurableUsageError while another pause or wait of the message is pending, and for a wrong option
   */
  readonly waitFor: <Schema extends z.ZodType = z.ZodType<unknown>>(
    event: string | readonly string[],
    options?: WaitOptions<Schema>,
  ) => Promise<TakenEvent<z.output<Schema>> | null>;
  /**
   * Makes a token with which its holder may emit an event, once, over HTTPS and without other credentials. It is a
   * text of letters, digits and `- _ .` for a link's fragment, is stored nowhere, and differs at each call. A mail
   * that is sent again under one idempotency key has to be the same: make its token in a step of its own.
   *
   * ```ts
   * const token = await ctx.step("token", () => ctx.token(`approved:${order}`, { expires: "7d" }));
   * ```
   *
   * @param event key of the event
   * @throws RangeError if the key or the time is wrong, or the environment has no secret key that could sign it
   */
  readonly token: (event: string, options: TokenOptions) => string;
  /**
   * Dispatches up to 1,000 children, once, and waits until each is handled or a dead letter. Meanwhile the message
   * is parked. If it is cancelled, the children are too.
   *
   * ```ts
   * const [small, large] = await ctx.all("sizes", [[Resize, { width: 100 }], [Resize, { width: 800 }]]);
   * ```
   *
   * @param name 1 to 255 characters; a loop may use it again once its last call has settled, or with `key`
   * @returns what the children's handlers returned, in order, at most 1 MB together; null for nothing, and for a
   * definition with several handlers or a batch handler
   * @throws StepError that names children that have become dead letters; also if the results are too large
   * @throws DurableUsageError for a child in its parent's own queue and group, which would never start, for a child
   * with an idempotency or dedupe key, and while another pause or wait of the message is pending
   */
  readonly all: <const Children extends readonly ChildMessage[]>(
    name: string,
    children: Children,
    options?: { readonly key?: string },
  ) => Promise<ChildResults<Children>>;
  /**
   * Dispatches a batch, once: it is a step of the batch's name. The members are written at once, in chunks, whatever
   * becomes of the message. A run that was killed or failed between two chunks is continued by the next one, which
   * has to give the same members.
   *
   * ```ts
   * const batch = await ctx.dispatchBatch(rowsOf(file), { name: "import", onFinished: { type: "Report", payload: {} } });
   * ```
   *
   * @param members messages `{ type | definition, payload, options? }`: an array, an iterable or an async iterable
   * @returns the batch's id
   * @throws StepError if it has failed for good: also if the batch is cancelled before its last chunk, or the members
   * are others than those of the run before
   */
  readonly dispatchBatch: (
    members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
    options: ContextBatchOptions,
  ) => Promise<string>;
  /** The definition's `version` at the message's first durable write, for handlers that have changed since. */
  readonly version: number | string | null;
}
