/** Everything that a worker holds, and what becomes of what it may not hold any more. */

import { CancelledError, LeaseLostError } from "../message/errors.ts";
import type { Logger } from "../runtime/log.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { HeldBytes } from "./claim/held-bytes.ts";
import type { Inbox } from "./claim/inbox.ts";
import type { Outbox } from "./settle/outbox.ts";
import type { Slots } from "./run/slots.ts";

/** Messages that wait, run, or are to be settled. */
export class Holdings {
  constructor(
    private readonly parts: {
      readonly inbox: Inbox;
      readonly slots: Slots;
      readonly outbox: Outbox;
      readonly bytes: HeldBytes;
      readonly retry: RetryManager;
      readonly log: Logger;
    },
  ) {}

  /** Everything whose lease the worker has to keep. */
  *leases(): Generator<{ readonly id: string; readonly leaseToken: string }> {
    const { inbox, slots, outbox } = this.parts;
    yield* inbox;
    yield* slots.envelopes();
    yield* outbox.settlements();
  }

  /** Lets go of messages whose lease is another's by now. */
  drop(ids: readonly string[]): void {
    const { inbox, slots, bytes, log } = this.parts;
    log.warn("lease_lost", { ids });
    bytes.remove(inbox.takeOut(ids));
    slots.stop(ids, new LeaseLostError());
  }

  /** Stops messages that an operator has cancelled, and does not start those that wait. */
  cancel(ids: readonly string[]): void {
    const { inbox, slots, outbox, retry } = this.parts;
    const error = new CancelledError();
    for (const envelope of inbox.takeOut(ids)) {
      outbox.add(envelope, retry.decide(envelope, error, { durationMs: 0 }));
    }
    slots.stop(ids, error);
  }
}
