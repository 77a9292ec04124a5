/** Functions that stand in for SQL functions in the transport in memory. */

/** Does the work of a SQL function: takes its arguments by name, and returns its result as JSON. */
export type SqlFunction = (args: Readonly<Record<string, unknown>>) => unknown;

/** The functions that `ctx.effect` finds by their names. */
export class MemoryFunctions {
  readonly #functions = new Map<string, SqlFunction>();

  /** Adds a function, in the place of one of the same name. */
  set(name: string, fn: SqlFunction): void {
    this.#functions.set(name, fn);
  }

  /**
   * Calls a function.
   * @returns its result as Postgres would store it
   * @throws RangeError if there is none of this name; what the function throws
   */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const fn = this.#functions.get(name);
    if (!fn) {
      throw new RangeError(
        `function: there is no function public.${name} (was ${name}); a test gives it to ` +
          "createTestMessenger({ functions })",
      );
    }
    const result = await fn(structuredClone(args));
    return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
  }
}
