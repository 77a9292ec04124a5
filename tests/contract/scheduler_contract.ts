/** The promises of the scheduler over every store. The files beside this one run them over each store. */

import { testScheduleMessages } from "./schedule_messages_contract.ts";
import { testScheduleOperations } from "./schedule_operations_contract.ts";
import { testScheduleSync } from "./schedule_sync_contract.ts";
import type { SchedulerPromise } from "./scheduler_under_test.ts";
import { testScheduling } from "./scheduling_contract.ts";

/** Registers the suite for one store. */
export function testScheduler(promise: SchedulerPromise): void {
  testScheduling(promise);
  testScheduleOperations(promise);
  testScheduleMessages(promise);
  testScheduleSync(promise);
}
