/**
 * The promises of transports. The test files beside this one run them against each transport. A transport is asked for
 * exactly what its capabilities promise: for a suite that needs more, no test is registered.
 */

import { assertEquals } from "@std/assert";
import type { Capabilities } from "../../supabase/functions/_shared/symphony/index.ts";
import { testBatches } from "./batch_contract.ts";
import { testCancels } from "./cancel_contract.ts";
import { testChildren } from "./children_contract.ts";
import { testClaiming } from "./claiming_contract.ts";
import { testDedupe } from "./dedupe_contract.ts";
import { testEffects } from "./effects_contract.ts";
import { testEvents } from "./events_contract.ts";
import { type FrontendUnderTest, testWhatFrontendsNeed } from "./frontend_contract.ts";
import { testGroups } from "./group_contract.ts";
import { testKeys } from "./key_contract.ts";
import { testLeases } from "./leases_contract.ts";
import { testLanes } from "./lane_contract.ts";
import { isPromised, promises } from "./promises.ts";
import { testQueues } from "./queue_contract.ts";
import { testSending } from "./sending_contract.ts";
import { testSettling } from "./settling_contract.ts";
import { testSteps } from "./steps_contract.ts";

/** The suites, and the capabilities without which a transport is not asked for their promises. */
const SUITES: readonly {
  readonly test: (
    name: string,
    open: () => Promise<FrontendUnderTest>,
    promised: Capabilities,
  ) => void;
  readonly needs: Partial<Capabilities>;
}[] = [
  { test: testSending, needs: { received: "here" } },
  { test: testClaiming, needs: { received: "here", order: "exact" } },
  { test: testSettling, needs: { received: "here", fence: "enforced" } },
  { test: testLeases, needs: { received: "here", lease: "per-claim" } },
  { test: testCancels, needs: { received: "here", cancel: "at-once" } },
  { test: testDedupe, needs: { received: "here", cancel: "at-once" } },
  { test: testSteps, needs: { received: "here", fence: "enforced" } },
  { test: testEffects, needs: { received: "here", settle: "atomic" } },
  { test: testEvents, needs: { received: "here", fence: "enforced" } },
  { test: testBatches, needs: { received: "here", cancel: "at-once" } },
  { test: testChildren, needs: { received: "here", cancel: "at-once" } },
  { test: testGroups, needs: { received: "here", order: "exact" } },
  { test: testQueues, needs: { received: "here", limits: true } },
  { test: testLanes, needs: { received: "here", limits: true } },
  { test: testKeys, needs: { received: "here" } },
  { test: testWhatFrontendsNeed, needs: { received: "here", views: true } },
];

/** Registers the suites for one transport. @param promised what it promises, to the letter */
export function testTransport(
  name: string,
  promised: Capabilities,
  open: () => Promise<FrontendUnderTest>,
): void {
  promises(name, open)("its capabilities are those that it is tested for", (t) => {
    assertEquals(t.transport.capabilities, promised);
    return Promise.resolve();
  });
  for (const { test, needs } of SUITES) {
    if (isPromised(promised, needs)) test(name, open, promised);
  }
}
