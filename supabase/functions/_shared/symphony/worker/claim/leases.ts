/** How long a worker may count on its leases. */

/** Keeps the moment up to which all leases are known to hold. */
export class Leases {
  /** The shortest lease there is, in ms. */
  ms: number;
  #confirmedAt = -Infinity;

  /** @param ms how long a lease lasts unless a claim says otherwise */
  constructor(ms: number) {
    this.ms = ms;
  }

  /** After this moment a message may be another worker's; on the clock of performance.now(). */
  get endAt(): number {
    return this.#confirmedAt + this.ms;
  }

  /** A heartbeat that was sent at `sentAt` has kept them all. */
  kept(sentAt: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
  }

  /**
   * A claim that was sent at `sentAt` gave leases.
   * @param areFirst whether no others are held; those are older, and end sooner
   * @param ms the shortest of them
   * @returns whether a lease is shorter than those before
   */
  taken(sentAt: number, areFirst: boolean, ms: number): boolean {
    this.#confirmedAt = areFirst ? sentAt : Math.min(this.#confirmedAt, sentAt);
    const isShorter = ms < this.ms;
    this.ms = Math.min(this.ms, ms);
    return isShorter;
  }
}
