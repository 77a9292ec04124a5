/** The promises of every transport. The test files beside this one run them against each transport. */

import { testCancels } from "./cancel_contract.ts";
import { testClaiming } from "./claiming_contract.ts";
import { testDedupe } from "./dedupe_contract.ts";
import { testEffects } from "./effects_contract.ts";
import { testEvents } from "./events_contract.ts";
import { testLeases } from "./leases_contract.ts";
import { testSending } from "./sending_contract.ts";
import { testSettling } from "./settling_contract.ts";
import { testSteps } from "./steps_contract.ts";
import type { TransportUnderTest } from "./under_test.ts";

/** Registers the suite for one transport. */
export function testTransport(name: string, open: () => Promise<TransportUnderTest>): void {
  testSending(name, open);
  testClaiming(name, open);
  testSettling(name, open);
  testLeases(name, open);
  testCancels(name, open);
  testDedupe(name, open);
  testSteps(name, open);
  testEffects(name, open);
  testEvents(name, open);
}
