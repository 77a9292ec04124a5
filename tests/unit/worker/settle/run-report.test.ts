/** The counts of a run. */

import { assertEquals } from "@std/assert";
import {
  ExponentialBackoffRetryStrategy,
  RetryManager,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import {
  handled,
  settlementOf,
} from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { RunReport } from "../../../../supabase/functions/_shared/symphony/worker/settle/run-report.ts";
import { envelopeAt } from "../../../support/envelope.ts";
import { logTo } from "../../../support/kept_log.ts";

Deno.test("a message that was claimed again counts once, for the lease that still held", () => {
  const log = logTo([]);
  const retry = new RetryManager({ strategy: new ExponentialBackoffRetryStrategy(), log });
  const report = new RunReport(retry, log);
  const [stale, written] = [1, 2].map((n) => {
    const envelope = {
      ...envelopeAt(new Date(0)),
      leaseToken: `00000000-0000-4000-8000-00000000000${n}`,
    };
    return { envelope, settlement: settlementOf(envelope, handled) };
  });
  if (!stale || !written) throw new Error("two outcomes");
  report.settled([written.settlement], [stale, written]);
  assertEquals(report.counts.handled, 1);
});
