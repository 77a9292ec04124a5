/** The transport in memory keeps the contract. */

import { HOME_CAPABILITIES } from "../../supabase/functions/_shared/symphony/transport/capabilities.ts";
import { InMemoryTransport } from "../../supabase/functions/_shared/symphony/testing.ts";
import type { FrontendUnderTest } from "./frontend_contract.ts";
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
      Promise.resolve(
        [...transport.progress].map(([id, { value, note }]) => ({ id, value, note })),
      ),
    steps: (id) => Promise.resolve(transport.steps.of(id).map(({ name }) => name)),
    setQueue: (queue, settings) => Promise.resolve(transport.queues.set(queue, settings)),
    close: () => Promise.resolve(),
  });
};

testTransport("in memory", HOME_CAPABILITIES, open);
