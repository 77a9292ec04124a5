/** All workloads, in their order. */

import { w01 } from "./w01_enqueue.ts";
import { w02 } from "./w02_drain.ts";
import { w03 } from "./w03_workers.ts";
import type { Workload } from "./workload.ts";

/** W1 to W11. */
export const WORKLOADS: readonly Workload[] = [w01, w02, w03];
