/**
 * How many bytes of messages a worker holds: claimed and not settled, or on their way in a claim. A function
 * has 256 MB, and a message takes several times its size while it is received, read and run.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { ClaimRequest } from "../../transport/receiver.ts";

/** Most bytes of messages that a worker holds by default: 16 MiB. */
export const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** Share of these bytes that one claim may ask for, so that several claims can be under way. */
const SHARE_OF_A_CLAIM = 1 / 4;
/** With room for less than this share of a claim, the worker waits: a claim brings one message in any case. */
const LEAST_ROOM = 1 / 4;

type Weighed = Pick<Envelope, "bytes">;

/** Counts bytes, and tells how many the next claim may bring. */
export class HeldBytes {
  readonly #most: number;
  #held = 0;
  #claiming = 0;

  /** @param most bytes held at once */
  constructor(most: number = MAX_HELD_BYTES) {
    this.#most = most;
  }

  /** Bytes that the next claim may bring, a whole number; 0 if it has to wait. */
  get room(): number {
    const share = Math.ceil(this.#most * SHARE_OF_A_CLAIM);
    const room = Math.min(share, this.#most - this.#held - this.#claiming);
    // A message's size is its part of a claim's, which may be no whole number; SQL takes only whole ones.
    return room < share * LEAST_ROOM ? 0 : Math.floor(room);
  }

  /** A claim is under way. */
  asked(request: ClaimRequest | null): void {
    this.#claiming += request?.maxBytes ?? 0;
  }

  /** A round trip is over, whatever its claim brought: the messages that it settled are gone. */
  answered(request: ClaimRequest | null, settled: readonly { readonly envelope: Weighed }[]): void {
    this.#claiming -= request?.maxBytes ?? 0;
    this.remove(settled.map(({ envelope }) => envelope));
  }

  /** The worker holds these messages. */
  add(envelopes: readonly Weighed[]): void {
    for (const { bytes = 0 } of envelopes) this.#held += bytes;
  }

  /** The worker no longer holds these messages. */
  remove(envelopes: readonly Weighed[]): void {
    for (const { bytes = 0 } of envelopes) this.#held -= bytes;
  }
}
