/**
 * The process lock. Ordinary messages share the process. A quarantined message, which was in a crash, has
 * the process to itself, so that the next crash shows which message causes it. One process may serve several
 * ticks at once; therefore they all share one lock.
 */

/** Work that waits for its turn. */
interface Waiting {
  readonly exclusive: boolean;
  readonly work: () => Promise<unknown>;
  /** Ends the wait: true if the turn has come, false if the work was withdrawn. */
  readonly enter: (admitted: boolean) => void;
}

/** Admits work that shares the process, and work that needs it alone, in the order in which it came. */
export class ProcessLock {
  #sharing = 0;
  #exclusive = false;
  #waiting: Waiting[] = [];

  /**
   * Runs `work` beside other shared work, after all exclusive work that came before it.
   * @returns what the work returns; null if it was withdrawn
   */
  shared<T>(work: () => Promise<T>): Promise<T | null> {
    // The usual case costs no turn of the event loop.
    if (!this.#exclusive && this.#waiting.length === 0) {
      this.#sharing++;
      return this.#leaving(work);
    }
    return this.#queue(work, false);
  }

  /**
   * Runs `work` with no other beside it.
   * @returns what the work returns; null if it was withdrawn
   */
  exclusive<T>(work: () => Promise<T>): Promise<T | null> {
    const running = this.#queue(work, true);
    this.#admit();
    return running;
  }

  /** Takes work out of the queue, so that it does not run. Work that has had its turn is left as it is. */
  withdraw(work: () => Promise<unknown>): void {
    const withdrawn = this.#waiting.filter((one) => one.work === work);
    this.#waiting = this.#waiting.filter((one) => one.work !== work);
    for (const { enter } of withdrawn) enter(false);
    this.#admit();
  }

  async #queue<T>(work: () => Promise<T>, exclusive: boolean): Promise<T | null> {
    const admitted = await new Promise<boolean>((enter) =>
      this.#waiting.push({ exclusive, work, enter })
    );
    return admitted ? await this.#leaving(work) : null;
  }

  /** Returns the promise of the work itself: one of its own would cost each message. */
  #leaving<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    running.then(this.#leave, this.#leave);
    return running;
  }

  readonly #leave = (): void => {
    if (this.#exclusive) this.#exclusive = false;
    else this.#sharing--;
    this.#admit();
  };

  #admit(): void {
    for (let next = this.#waiting[0]; next && !this.#exclusive; next = this.#waiting[0]) {
      if (next.exclusive && this.#sharing > 0) return;
      this.#waiting.shift();
      if (next.exclusive) this.#exclusive = true;
      else this.#sharing++;
      next.enter(true);
    }
  }
}

/** The lock of this process. */
export const processLock = new ProcessLock();
