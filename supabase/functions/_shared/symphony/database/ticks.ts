/** SQL's functions of ticks: a tick has a row in the database from its registration to its end. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { DeclaredRouting } from "./declared-routing.ts";
import { callRpc } from "./rpc.ts";

/** Timeout of a call. */
const TIMEOUT_MS = 10_000;

/** A tick that was registered. */
export interface StartedTick {
  readonly id: string;
  /** Whether there may be messages to handle. */
  readonly proceed: boolean;
  /** Most ticks at once. */
  readonly fleet: number;
  /** The schema's version. */
  readonly version: string;
  /** Whether schedules are due. */
  readonly schedulesDue: boolean;
  /** The routes that SQL knows; null if there are none. */
  readonly routing: DeclaredRouting | null;
}

/** Counts of the messages of a tick. */
export interface TickCounts {
  readonly claimed: number;
  readonly handled: number;
  readonly retried: number;
  readonly failed: number;
}

/** The database's answer to an offer to be idle. */
export interface IdleDecision {
  /** Whether the tick counts as idle from now on. */
  readonly agreed: boolean;
  /** Whether a message is due. */
  readonly due: boolean;
  /** Ms until the tick has to poll for messages; null if it need not. */
  readonly messagesInMs: number | null;
  /** Ms until the tick has to process schedules; null if it need not. */
  readonly schedulesInMs: number | null;
}

/** Registers ticks, keeps them alive and ends them. Each method throws TransportError. */
export class Ticks {
  /** @param client made with a secret key */
  constructor(private readonly client: SupabaseClient) {}

  /**
   * Registers a tick.
   * @param tick.id its id, if the database asked for it
   * @param tick.awake whether dispatches count on it
   * @param tick.queues the queues it claims from; all by default
   */
  async start(tick: {
    readonly id: string | undefined;
    readonly awake: boolean;
    readonly queues: readonly string[] | undefined;
    readonly budgetMs: number;
  }): Promise<StartedTick> {
    const { schedules_due: schedulesDue = false, routing = null, ...started } = await this.#call<
      & Omit<StartedTick, "schedulesDue" | "routing">
      & { schedules_due?: true; routing?: DeclaredRouting }
    >("messenger_start_tick", {
      ...{ tick: tick.id ?? null, awake: tick.awake, queues: tick.queues ?? null },
      budget_ms: tick.budgetMs,
    });
    return { ...started, schedulesDue, routing };
  }

  /** Tells that the tick is alive. */
  async heartbeat(id: string): Promise<void> {
    await this.#call("messenger_heartbeat_tick", { tick: id });
  }

  /** Dispatches count on the tick again. */
  async wake(id: string): Promise<void> {
    await this.#call("messenger_heartbeat_tick", { tick: id, awake: true });
  }

  /**
   * Offers that the tick be idle: from then on a dispatch asks for another tick.
   * @param offer.report of a tick that may end with this call; null if it holds messages
   * @param offer.lingerMs how long the database waits for more messages before it agrees
   * @param offer.leftMs how long the tick could still work
   * @param offer.schedules whether the tick would process schedules again
   */
  async offerIdle(id: string, offer: {
    readonly report: TickCounts | null;
    readonly lingerMs: number;
    readonly leftMs: number;
    readonly schedules: boolean;
  }): Promise<IdleDecision> {
    const { report, lingerMs, leftMs, schedules } = offer;
    const answer = await this.#call<
      { rested: boolean; due: boolean; messages_in_ms?: number; schedules_in_ms?: number }
    >("messenger_rest_tick", {
      ...{ tick: id, report, linger_ms: lingerMs, left_ms: leftMs, schedules },
    });
    return {
      agreed: answer.rested,
      due: answer.due,
      messagesInMs: answer.messages_in_ms ?? null,
      schedulesInMs: answer.schedules_in_ms ?? null,
    };
  }

  /**
   * Asks for other ticks to take what comes in.
   * @param how.stalled whether the tick will claim again
   * @returns false if dispatches count on this tick all the same
   */
  standAside(
    id: string,
    how: { readonly stalled: boolean; readonly schedules: boolean },
  ): Promise<boolean> {
    return this.#call("messenger_stand_aside", { tick: id, ...how });
  }

  /** Asks for one more tick, because there is a backlog. */
  async growFleet(): Promise<void> {
    await this.#call("messenger_grow_fleet");
  }

  /**
   * Ends a tick.
   * @param how.report null if the tick failed
   * @param how.successor whether another tick may follow at once
   * @param how.schedules whether that tick may be started for schedules
   */
  async end(id: string, how: {
    readonly report: TickCounts | null;
    readonly successor: boolean;
    readonly schedules: boolean;
  }): Promise<void> {
    await this.#call("messenger_end_tick", { tick: id, ...how });
  }

  #call<Answer>(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return callRpc<Answer>(this.client, name, args, TIMEOUT_MS);
  }
}
