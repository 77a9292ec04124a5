/** The shape of a workload. */

import type { World } from "../harness/world.ts";
import type { WorkloadResult } from "../report/result.ts";

/** One of the workloads. */
export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Sets up, runs, verifies the counts, and returns its result. @throws Error where a count is wrong */
  run(world: World): Promise<WorkloadResult>;
}
