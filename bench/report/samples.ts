/** Collects the values of a workload by name, and makes figures and ratios of them. */

import type { Figure, Measurement } from "./result.ts";
import { median } from "./stats.ts";

/** Values by name, in the order in which the names first came. */
export class Samples {
  readonly #values = new Map<string, { unit: string; values: number[] }>();

  /** Adds the next value of a name. */
  add(name: string, unit: string, value: number): void {
    let entry = this.#values.get(name);
    if (!entry) this.#values.set(name, entry = { unit, values: [] });
    entry.values.push(value);
  }

  /** The median of a name's values; NaN where it has none. */
  median(name: string): number {
    return median(this.#of(name));
  }

  /** The median of a name's values together with the values; NaN where it has none. */
  figure(name: string): Figure {
    return figureOf(this.#of(name));
  }

  /**
   * The median of paired ratios. The n-th value of one name is divided by the n-th of the other, which
   * was measured next to it in the same round: a machine that changes its speed changes it for both.
   * A ratio of two medians would pair a fast minute of the one with a slow minute of the other.
   * @throws Error where the names have different numbers of values
   */
  ratio(name: string, to: string): Figure {
    const [values, others] = [this.#of(name), this.#of(to)];
    if (values.length !== others.length) {
      throw new Error(`${name} has ${values.length} values, ${to} has ${others.length}`);
    }
    return figureOf(values.map((value, index) => value / (others[index] ?? NaN)));
  }

  /** All values, as a workload returns them. */
  get measurements(): Measurement[] {
    return [...this.#values].map(([name, { unit, values }]) => ({ name, unit, values }));
  }

  #of(name: string): readonly number[] {
    return this.#values.get(name)?.values ?? [];
  }
}

/** The median of values, and the values. */
export function figureOf(values: readonly number[]): Figure {
  return { value: median(values), values };
}
