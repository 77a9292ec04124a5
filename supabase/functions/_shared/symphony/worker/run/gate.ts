/**
 * Who may run at the same time in this process. Ordinary messages share it; a message that was in a
 * crash has the process to itself, so that the next crash shows who is to blame. One process may serve
 * several ticks at once, therefore there is one gate for all of them.
 */
export class Gate {
  #sharing = 0;
  #exclusive = false;
  #waiting: {
    readonly exclusive: boolean;
    readonly work: () => Promise<unknown>;
    readonly enter: () => void;
  }[] = [];

  /** Runs `work` beside others, once no one who needs the process alone is in or before it in line. */
  shared<T>(work: () => Promise<T>): Promise<T> {
    // The usual case costs no turn of the event loop.
    if (!this.#exclusive && this.#waiting.length === 0) {
      this.#sharing++;
      return this.#leaving(work);
    }
    return this.#queue(work, false).then(() => this.#leaving(work));
  }

  /** Runs `work` with no other beside it. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const entered = this.#queue(work, true);
    this.#admit();
    await entered;
    return await this.#leaving(work);
  }

  /**
   * Takes work out of the line: it is not run, and what {@link shared} or {@link exclusive} returned for it
   * does not settle.
   * @returns false where it did not wait
   */
  withdraw(work: () => Promise<unknown>): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.work !== work);
    this.#admit();
    return this.#waiting.length < before;
  }

  #queue(work: () => Promise<unknown>, exclusive: boolean): Promise<void> {
    return new Promise((enter) => this.#waiting.push({ exclusive, work, enter }));
  }

  async #leaving<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      if (this.#exclusive) this.#exclusive = false;
      else this.#sharing--;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && !this.#exclusive; next = this.#waiting[0]) {
      if (next.exclusive && this.#sharing > 0) return;
      this.#waiting.shift();
      if (next.exclusive) this.#exclusive = true;
      else this.#sharing++;
      next.enter();
    }
  }
}

/** The gate of this process. */
export const processGate = new Gate();
