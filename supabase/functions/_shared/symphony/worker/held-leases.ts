/**
 * The leases of everything that a worker holds: messages in the prefetch buffer, in slots, and in the settle
 * buffer. Heartbeats keep them; what happens to a message whose lease is lost, or that is cancelled, is here.
 */

import { CancelledError, LeaseLostError } from "../message/errors.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { Logger } from "../runtime/log.ts";
import type { Transport } from "../transport/transport.ts";
import type { Change } from "./change.ts";
import type { Claimer } from "./claim/claim.ts";
import { type Heartbeat, startHeartbeat } from "./claim/heartbeat.ts";
import { Leases } from "./claim/leases.ts";
import type { Slots } from "./run/slots.ts";
import type { Settler } from "./settle/settle.ts";

/** The parts that hold messages, and the parts that keep their leases. */
export interface HeldLeasesParts {
  readonly transport: Transport;
  readonly leaseMs: number;
  readonly claimer: Claimer;
  readonly slots: Slots;
  readonly settler: Settler;
  readonly changed: Change;
  readonly retry: RetryManager;
  readonly log: Logger;
}

/** Keeps the leases of a worker. */
export class HeldLeases {
  readonly #parts: HeldLeasesParts;
  readonly #leases: Leases;
  readonly #heartbeat: Heartbeat;

  constructor(parts: HeldLeasesParts) {
    this.#parts = parts;
    this.#leases = new Leases(parts.leaseMs);
    this.#heartbeat = startHeartbeat({
      transport: parts.transport,
      log: parts.log,
      leaseMs: () => this.#leases.ms,
      held: () => this.#all(),
      onKept: (sentAt) => this.#leases.kept(sentAt),
      onLost: (ids) => this.#drop(ids),
      onCancelled: (ids) => this.#cancel(ids),
    });
  }

  /** When the leases of waiting and running messages end unless a heartbeat keeps them; Infinity if there are none. */
  get endAt(): number {
    return this.#isHoldingWork ? this.#leases.endAt : Infinity;
  }

  /** Whether messages wait or run; outcomes in the settle buffer do not count. */
  get #isHoldingWork(): boolean {
    return this.#parts.claimer.buffer.size > 0 || this.#parts.slots.size > 0;
  }

  /** A claim that was sent at `sentAt` is about to bring leases, the shortest of which lasts `ms`. */
  taken(sentAt: number, ms: number): void {
    if (this.#leases.taken(sentAt, !this.#isHoldingWork, ms)) this.#heartbeat.hurry();
  }

  /** Until when a failed call is worth repeating. @param unleased the limit of a call without any leases */
  worthRepeatingUntil(unleased: number): number {
    return this.#all().next().done ? unleased : this.#leases.endAt;
  }

  /** The leases have ended before a heartbeat kept them: another worker may have the messages. */
  giveUp(): void {
    const { slots, settler, claimer, log } = this.#parts;
    log.warn("leases_over");
    slots.stopAll(new LeaseLostError());
    settler.buffer.release(claimer.buffer.takeAll());
  }

  /** Ends the heartbeats. */
  close(): void {
    this.#heartbeat.stop();
  }

  *#all(): Generator<{ readonly id: string; readonly leaseToken: string }> {
    const { claimer, slots, settler } = this.#parts;
    yield* claimer.buffer;
    yield* slots.envelopes();
    yield* settler.buffer.settlements();
  }

  /** Another worker has these messages by now. */
  #drop(ids: readonly string[]): void {
    const { claimer, slots, log } = this.#parts;
    const waiting = claimer.buffer.takeOut(ids);
    const running = [...slots.envelopes()].filter(({ id }) => ids.includes(id));
    // The rest was settled while the heartbeat was under way.
    const lost = [...waiting, ...running].map(({ id }) => id);
    if (lost.length > 0) log.warn("lease_lost", { ids: lost });
    claimer.bytes.remove(waiting);
    slots.stop(ids, new LeaseLostError());
  }

  /** An operator has cancelled these messages: running ones are stopped, waiting ones are not started. */
  #cancel(ids: readonly string[]): void {
    const { claimer, slots, settler, changed, retry } = this.#parts;
    const error = new CancelledError();
    for (const envelope of claimer.buffer.takeOut(ids)) {
      settler.add(envelope, retry.decide(envelope, error, { durationMs: 0 }));
    }
    slots.stop(ids, error);
    changed.notify();
  }
}
