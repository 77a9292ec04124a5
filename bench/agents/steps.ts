/** The work that the agents of W15 are told to do, and the figures that they return. */

import process from "node:process";

/** Work to do: messages or workflows that each make steps, one after the other. */
export interface StepsRun {
  readonly messages: number;
  /** Steps of each. */
  readonly steps: number;
  /** How many run at once. */
  readonly atOnce: number;
}

/** Work that was done, from the dispatch of the first message to the end of the last one. */
export interface StepsDone {
  readonly tookMs: number;
  /** CPU time of the process. */
  readonly cpuMs: number;
  /** Calls of step functions. */
  readonly steps: number;
  /** Messages or workflows that succeeded. */
  readonly finished: number;
}

/** Begins to measure; the function that it returns tells time and CPU time since. */
export function cpuSince(): () => Pick<StepsDone, "tookMs" | "cpuMs"> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { tookMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
  };
}
