/** All workloads; the long soak comes last. */

import { w01 } from "./w01_enqueue.ts";
import { w02 } from "./w02_drain.ts";
import { w03 } from "./w03_workers.ts";
import { w04 } from "./w04_dispatch.ts";
import { w05 } from "./w05_start.ts";
import { w06 } from "./w06_horizon.ts";
import { w07 } from "./w07_claim.ts";
import { w08 } from "./w08_soak.ts";
import { w09 } from "./w09_schedules.ts";
import { w10 } from "./w10_worker.ts";
import { w11 } from "./w11_cost.ts";
import { w12 } from "./w12_groups.ts";
import { w13 } from "./w13_queues.ts";
import { w14 } from "./w14_cold_start.ts";
import { w15 } from "./w15_steps.ts";
import { w16 } from "./w16_lateness.ts";
import { w17 } from "./w17_resident.ts";
import { w18 } from "./w18_batch.ts";
import { w20 } from "./w20_broker.ts";
import { w21 } from "./w21_lanes.ts";
import { w22 } from "./w22_webhooks.ts";
import type { Workload } from "./workload.ts";

/** All workloads, in the order in which they run. */
export const WORKLOADS: readonly Workload[] = [
  w01,
  w02,
  w03,
  w04,
  w05,
  w06,
  w07,
  w09,
  w10,
  w11,
  w12,
  w13,
  w14,
  w15,
  w16,
  w17,
  w18,
  w20,
  w21,
  w22,
  w08,
];
