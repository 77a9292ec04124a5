/** How long a worker may count on its leases. */

/** Keeps the moment up to which all leases are known to hold. */
export class Leases {
  /** The shortest lease that a claim gave, in ms. */
  ms: number;
  #confirmedAt = -Infinity;

  /** @param ms how long a lease lasts unless a claim says otherwise */
  constructor(ms: number) {
    this.ms = ms;
  }

  /** After this moment another worker may have the messages; on the clock of performance.now(). */
  get endAt(): number {
    return this.#confirmedAt + this.ms;
  }

  /** A heartbeat that was sent at `sentAt` has extended all leases. */
  kept(sentAt: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
  }

  /**
   * A claim that was sent at `sentAt` gave leases.
   * @param areFirst whether the worker holds no other leases: older ones end sooner
   * @param ms the shortest of the new leases
   * @returns whether one of them is shorter than all before
   */
  taken(sentAt: number, areFirst: boolean, ms: number): boolean {
    this.#confirmedAt = areFirst ? sentAt : Math.min(this.#confirmedAt, sentAt);
    const isShorter = ms < this.ms;
    this.ms = Math.min(this.ms, ms);
    return isShorter;
  }
}
