/** The seam between the bus and the store of its messages. Every transport passes one contract suite. */

import type { OutgoingMessage } from "../message/envelope.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { SeriesPoint } from "../message/series-point.ts";
import type { Fault } from "../database/fault.ts";
import { readProperty } from "../runtime/inspect.ts";
import type { BatchStore } from "./batch-store.ts";
import type { Capabilities } from "./capabilities.ts";
import type { DurableStore } from "./durable-store.ts";
import type { EventStore } from "./event-store.ts";
import type { Receiver } from "./receiver.ts";

/** Takes in messages: what the bus dispatches to. Every method throws {@link TransportError}. */
export interface Sender {
  /**
   * Writes messages, all or none, and returns their ids in order.
   * @param limits rate limits that count them; a refusal writes nothing
   * @throws RateLimitedError if a limit is reached
   * @throws ConflictError if an idempotency key belongs to a message with other content
   * @throws RangeError if a message's ttl ends before it is due
   */
  send(
    messages: readonly OutgoingMessage[],
    limits?: readonly LimitedDispatch[],
  ): Promise<string[]>;
}

/** A store of messages. Every method throws {@link TransportError}. */
export interface Transport extends Sender, Receiver, DurableStore, BatchStore, EventStore {
  /** Its promises. */
  readonly capabilities: Capabilities;
  /**
   * Reserves ids for messages that are written later, with the outcome of another message.
   * @param number most ids to reserve, 1 to 1000
   * @returns one id or more, ascending. None is ever given again
   */
  reserveIds(number: number): Promise<readonly string[]>;
  /** Adds what a worker has counted to the time series. Without it nothing is counted. */
  recordSeries?(points: readonly SeriesPoint[]): Promise<void>;
  /** Ends its connections. Messages that it has given out stay leased until their leases end. */
  close(): Promise<void>;
}

/** The store of messages cannot be reached, or refused a call. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  /** Why the call failed, and what to do. */
  readonly fault: Fault;
  /** Name of the transport beside home that failed; undefined if home did. */
  readonly transport: string | undefined;

  /**
   * @param operation name of the call, such as `claim`
   * @param retryable whether the same call may pass later: a network error, a restart, an overload
   * @param options.transport name of the transport, if it is not home
   * @param options.fault default: `passing` if `retryable`, and else `data`
   */
  constructor(
    readonly operation: string,
    message: string,
    readonly retryable: boolean,
    options: ErrorOptions & { readonly fault?: Fault; readonly transport?: string } = {},
  ) {
    super(`${operation}: ${message}`, options);
    this.transport = options.transport;
    this.fault = options.fault ?? (retryable ? "passing" : "data");
  }
}

/** Whether too much waits for other transports (SQLSTATE PT503). Messages of home pass, and these pass later. */
export function isOutboxFull(error: unknown): error is TransportError {
  return error instanceof TransportError && readProperty(error.cause, "code") === "PT503";
}
