/** The transport in memory keeps the contract. */

import { InMemoryTransport } from "../../supabase/functions/_shared/symphony/testing.ts";
import { type FrontendUnderTest, testWhatFrontendsNeed } from "./frontend_contract.ts";
import { testBatches } from "./batch_contract.ts";
import { testChildren } from "./children_contract.ts";
import { testKeys } from "./key_contract.ts";
import { testGroups } from "./group_contract.ts";
import { testQueues } from "./queue_contract.ts";
import { testTransport } from "./transport_contract.ts";

const open = (): Promise<FrontendUnderTest> => {
  let now = Date.UTC(2026, 0, 1);
  const transport = new InMemoryTransport({ now: () => now });
  let doubled = 0;
  transport.functions.set("test_double", ({ n }) => (doubled++, Number(n) * 2));
  return Promise.resolve({
    transport,
    doubled: () => Promise.resolve(doubled),
    advance: (ms: number) => Promise.resolve(void (now += ms)),
    failed: () =>
      Promise.resolve(
        transport.failed.map(({ envelope: { id, errors, attempts }, reason }) => ({
          id,
          reason,
          errors: [...errors],
          attempts,
        })),
      ),
    kept: () =>
      Promise.resolve(
        transport.kept.map(({ envelope: { id, attempts }, keepMs }) => ({ id, attempts, keepMs })),
      ),
    progress: () =>
      Promise.resolve([...transport.progress].map(([id, report]) => ({ id, ...report }))),
    steps: (id) => Promise.resolve(transport.steps.of(id).map(({ name }) => name)),
    setQueue: (queue, settings) => Promise.resolve(transport.queues.set(queue, settings)),
    close: () => Promise.resolve(),
  });
};

testTransport("in memory", open);
testBatches("in memory", open);
testChildren("in memory", open);
testGroups("in memory", open);
testQueues("in memory", open);
testKeys("in memory", open);
testWhatFrontendsNeed("in memory", open);
