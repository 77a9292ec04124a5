/** The results of workloads: measurements, the goals they are held to, and series for the plots. */

/** One figure, measured several times. */
export interface Measurement {
  /** Name of the measured system or step, such as `ours` or `graphile-worker`. */
  readonly name: string;
  readonly unit: string;
  /** One value for each run. */
  readonly values: readonly number[];
}

/** A median and the values that it is the median of. */
export interface Figure {
  readonly value: number;
  /** One value for each run or, of a ratio, for each pair of rounds. */
  readonly values: readonly number[];
}

/** A figure and what it has to reach. */
export interface Goal {
  readonly text: string;
  readonly value: number;
  /** The values that `value` is the median of; absent where there is only one. */
  readonly values?: readonly number[];
  readonly limit: number;
  readonly atLeast: boolean;
}

/** A curve of a plot. */
export interface Series {
  readonly plot: string;
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Result of a workload. */
export interface WorkloadResult {
  readonly measurements: readonly Measurement[];
  readonly goals?: readonly Goal[];
  readonly series?: readonly Series[];
  /** Facts that a reader has to know beside the figures. */
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

/** The machine that it ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly postgres: string;
  readonly postgresFrom: string;
  readonly deno: string;
}

/** A goal that a figure reaches at least `limit`. */
export function atLeast(text: string, figure: Figure | number, limit: number): Goal {
  return { text, ...spreadOut(figure), limit, atLeast: true };
}

/** A goal that a figure is at most `limit`. */
export function atMost(text: string, figure: Figure | number, limit: number): Goal {
  return { text, ...spreadOut(figure), limit, atLeast: false };
}

function spreadOut(figure: Figure | number): Pick<Goal, "value" | "values"> {
  if (typeof figure === "number") return { value: figure };
  return figure.values.length > 1 ? figure : { value: figure.value };
}

/** Whether the median of a goal's figure reaches its limit. */
export function isMet({ value, limit, atLeast }: Goal): boolean {
  return atLeast ? value >= limit : value <= limit;
}

/**
 * Verdict of a goal's median on its limit. It is "within the spread" where the limit lies between the
 * smallest and the largest value, so that another run may say the opposite.
 */
export function verdict(goal: Goal): string {
  const met = isMet(goal);
  const agree = goal.values?.every((value) => isMet({ ...goal, value }) === met) ?? true;
  return (met ? "met" : "missed") + (agree ? "" : " within the spread");
}
