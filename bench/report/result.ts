/** What workloads answer: measurements, the goals they are held to, and series for the plots. */

import { median } from "./stats.ts";

/** One figure, measured several times. */
export interface Measurement {
  /** What was measured, such as `ours` or `graphile-worker`. */
  readonly name: string;
  readonly unit: string;
  /** One value for each run. */
  readonly values: readonly number[];
}

/** A figure and what it has to reach. */
export interface Goal {
  readonly text: string;
  readonly value: number;
  readonly limit: number;
  readonly atLeast: boolean;
}

/** A curve of a plot. */
export interface Series {
  readonly plot: string;
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a workload answers. */
export interface WorkloadResult {
  readonly measurements: readonly Measurement[];
  readonly goals?: readonly Goal[];
  readonly series?: readonly Series[];
  /** What a reader has to know beside the figures. */
  readonly notes?: readonly string[];
}

/** A workload's result as it is written to its file. */
export interface StoredResult extends Partial<WorkloadResult> {
  readonly id: string;
  readonly title: string;
  readonly runs: number;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly finishedAt: string;
  readonly tookS: number;
  /** Why there is no result. */
  readonly error?: string;
}

/** What it ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly postgres: string;
  readonly postgresFrom: string;
  readonly deno: string;
}

/** Collects values by name, in the order in which the names first came. */
export class Tally {
  readonly #values = new Map<string, { unit: string; values: number[] }>();

  add(name: string, unit: string, value: number): void {
    let entry = this.#values.get(name);
    if (!entry) this.#values.set(name, entry = { unit, values: [] });
    entry.values.push(value);
  }

  /** The median of a name's values; NaN where it has none. */
  median(name: string): number {
    return median(this.#values.get(name)?.values ?? []);
  }

  get measurements(): Measurement[] {
    return [...this.#values].map(([name, { unit, values }]) => ({ name, unit, values }));
  }
}

/** A goal that a figure is at least so much. */
export function atLeast(text: string, value: number, limit: number): Goal {
  return { text, value, limit, atLeast: true };
}

/** A goal that a figure is at most so much. */
export function atMost(text: string, value: number, limit: number): Goal {
  return { text, value, limit, atLeast: false };
}

/** Whether a goal is met. */
export function isMet({ value, limit, atLeast }: Goal): boolean {
  return atLeast ? value >= limit : value <= limit;
}
