/**
 * How many bytes a worker holds: what it has claimed and not settled, and what claims under way may bring.
 * A function has 256 MB, and a message takes several times its size while it is received, read and run.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { ClaimRequest } from "../../transport/transport.ts";

/** Most bytes of messages that a worker holds, where nothing else is said: 16 MiB. */
export const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** A claim asks for no more than this part of it, so that several can be under way. */
const SHARE_OF_A_CLAIM = 1 / 4;
/** Room for less than this part of a claim is not worth one: it would bring one message in any case. */
const LEAST_ROOM = 1 / 4;

type Weighed = Pick<Envelope, "bytes">;

/** Counts bytes, and says how many the next claim may bring. */
export class HeldBytes {
  readonly #most: number;
  #held = 0;
  #claiming = 0;

  /** @param most to be held at once */
  constructor(most: number = MAX_HELD_BYTES) {
    this.#most = most;
  }

  /** Bytes that the next claim may bring; 0 where it has to wait. */
  get room(): number {
    const share = Math.ceil(this.#most * SHARE_OF_A_CLAIM);
    const room = Math.min(share, this.#most - this.#held - this.#claiming);
    return room < share * LEAST_ROOM ? 0 : room;
  }

  /** A claim is under way. */
  asked(request: ClaimRequest | null): void {
    this.#claiming += request?.maxBytes ?? 0;
  }

  /** The exchange is over, whatever the claim brought; what it settled has gone. */
  answered(request: ClaimRequest | null, settled: readonly { readonly envelope: Weighed }[]): void {
    this.#claiming -= request?.maxBytes ?? 0;
    this.remove(settled.map(({ envelope }) => envelope));
  }

  /** Messages have come. */
  add(envelopes: readonly Weighed[]): void {
    for (const { bytes = 0 } of envelopes) this.#held += bytes;
  }

  /** Messages have gone: they are another's by now. */
  remove(envelopes: readonly Weighed[]): void {
    for (const { bytes = 0 } of envelopes) this.#held -= bytes;
  }
}
