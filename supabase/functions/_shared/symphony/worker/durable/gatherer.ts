/** Gathers what many messages ask the database for: one call is under way, and the next one takes all that wait. */

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes one call for many items. */
export class Gatherer<Item, Answer> {
  #waiting: Waiting<Item, Answer>[] = [];
  #isCalling = false;

  /**
   * @param call returns the results in the order of the items
   * @param weigh weight of an item; items of one call weigh at most `most` together, or are one item
   */
  constructor(
    private readonly call: (items: readonly Item[]) => Promise<readonly Answer[]>,
    private readonly most: number,
    private readonly weigh: (item: Item) => number = () => 1,
  ) {}

  /** Asks for one item. @throws what the call threw */
  ask(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // Handlers that continue in this turn of the event loop join the same call.
      if (!this.#isCalling) {
        this.#isCalling = true;
        queueMicrotask(() => this.#work());
      }
    });
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#take();
      try {
        const answers = await this.call(taken.map(({ item }) => item));
        taken.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
      } catch (error) {
        for (const { reject } of taken) reject(error);
      }
    }
    this.#isCalling = false;
  }

  #take(): Waiting<Item, Answer>[] {
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += this.weigh(item);
      return index > 0 && weight > this.most;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }
}
