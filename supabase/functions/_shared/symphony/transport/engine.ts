/**
 * Engines: what transports beside home are made of, such as RabbitMQ or another Supabase project. An engine holds
 * messages that are due, and nothing that waits.
 */

/** A message as an engine carries it. */
export interface EngineMessage {
  readonly id: string;
  /** Number of its publication, from 1: a retry is a new one. */
  readonly publication: number;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly groupKey: string | null;
  /** Payload, stamps and counters as JSON: see engine-body.ts. */
  readonly body: string;
  /** Size of the body in UTF-8. */
  readonly bytes: number;
  /** It is on disk when it is confirmed. */
  readonly persistent?: true;
}

/** The fate of one publish. `unknown`: it may be in the engine; it is published again. */
export type Published =
  | { readonly kind: "confirmed" }
  | { readonly kind: "refused"; readonly error: unknown; readonly tooLarge?: true }
  | { readonly kind: "unknown"; readonly error: unknown };

/** One copy of a message that an engine hands to a worker. */
export interface EngineDelivery {
  readonly id: string;
  readonly publication: number;
  readonly type: string;
  readonly queue: string;
  readonly body: string;
  /** Earlier deliveries of this copy. */
  readonly redelivered: number;
  /** The engine acknowledges the delivery by it. */
  readonly handle: unknown;
}

/** The promises of an engine; the meanings are those of `Capabilities`. */
export interface EngineCapabilities {
  readonly fence: "enforced" | "advisory";
  readonly order: "exact" | "partition" | "none";
  readonly lease: "per-claim" | "fixed";
  /** Largest body, in bytes. */
  readonly maxBytes: number;
}

/** A problem that `doctor` tells. */
export interface EngineProblem {
  /** The thing that was checked, such as `queue mail`. */
  readonly name: string;
  readonly problem: string;
  /** How to fix it. */
  readonly advice: string;
}

/** The sending side of an engine: all of one whose messages another project handles. */
export interface EngineSender {
  readonly capabilities: EngineCapabilities;
  /**
   * Whether messages are written to home's outbox first, in the transaction of the dispatch; default: true. Without it
   * a dispatch publishes directly.
   */
  readonly outbox?: boolean;
  /** Publishes messages, and returns their fates in order. It throws only if none was published. */
  publish(messages: readonly EngineMessage[], signal: AbortSignal): Promise<readonly Published[]>;
  /**
   * Looks for what `doctor` and health tell; empty if all is well.
   * @param types that are routed to it
   */
  check(types: readonly string[]): Promise<readonly EngineProblem[]>;
  close(): Promise<void>;
}

/** An engine whose messages are handled by this project's workers. */
export interface Engine extends EngineSender {
  /** Takes up to `max` messages, of at most `maxBytes` but one; waits for the first for up to `waitMs`. */
  pull(request: {
    readonly max: number;
    readonly maxBytes: number;
    readonly waitMs: number;
    readonly queues?: readonly string[];
    /** Deliveries by queue that wait for others of their group: an engine that bounds what a worker holds looks past them. */
    readonly heldBack?: ReadonlyMap<string, number>;
  }): Promise<readonly EngineDelivery[]>;
  /** Ends deliveries. False: it is stale, because the connection was lost since, and the copy comes again. */
  acknowledge(deliveries: readonly EngineDelivery[]): Promise<readonly boolean[]>;
  /** Puts deliveries back, so that they come again at once. */
  giveBack(deliveries: readonly EngineDelivery[]): Promise<void>;
  /** How many messages wait and are delivered, by queue. */
  depth(): Promise<
    readonly { readonly queue: string; readonly ready: number; readonly unacknowledged: number }[]
  >;
  /** Makes the queues: `upgrade` calls it, and a tick never does. */
  declare(queues: readonly { readonly name: string; readonly ordered?: boolean }[]): Promise<void>;
}

/** Whether this project receives what it sends through the engine. */
export function isReceived(engine: EngineSender): engine is Engine {
  return "pull" in engine;
}
