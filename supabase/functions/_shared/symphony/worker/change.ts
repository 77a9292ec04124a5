/** The wait of a worker's loop between two turns. */

/** Wakes the loop when a part of the worker has changed, or at a planned moment. */
export class Change {
  #wake = () => {};
  #failure: { readonly error: unknown } | null = null;

  /** A part of the worker has changed: the loop takes its next turn. */
  notify(): void {
    this.#wake();
  }

  /** The worker cannot carry on: the loop throws the error. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  /**
   * Waits for the next change.
   * @param ms the wait ends after this time; Infinity for no end
   * @throws what {@link fail} was given
   */
  async next(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms < Infinity) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    if (this.#failure) throw this.#failure.error;
  }
}
