/** The transport of a test messenger: in memory, under a clock that stands still while a worker runs. */

import { InMemoryTransport } from "../transport/memory.ts";
import type { Claim, ClaimRequest } from "../transport/receiver.ts";

/** Keeps messages in memory, and never tells a worker to wait. */
export class TestTransport extends InMemoryTransport {
  /**
   * The worker would sleep until the next message is due, but the clock of a test does not move meanwhile.
   * Without that moment the worker ends its run.
   */
  override async claim(request: ClaimRequest): Promise<Claim> {
    return { ...await super.claim(request), nextDueMs: null };
  }
}
