/** The outcomes of claimed messages that are not run. */

import { assertEquals } from "@std/assert";
import {
  ExponentialBackoffRetryStrategy,
  RetryManager,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { unrunnable } from "../../../../supabase/functions/_shared/symphony/worker/claim/unrunnable.ts";
import { envelopeAt } from "../../../support/envelope.ts";
import { logTo } from "../../../support/kept_log.ts";

Deno.test("a message that crashed is run again, and one that is too large for any worker is not", () => {
  const strategy = new ExponentialBackoffRetryStrategy();
  const retry = new RetryManager({ strategy, log: logTo([]) });
  const crashed = ["1", "2"].map((id) => envelopeAt(new Date(0), { id }));
  const claim = {
    ...{ messages: [], crashed, oversized: ["2"], lastKeys: {} },
    ...{ quarantinedDue: false, nextDueMs: null, leaseMs: 60_000, lockMs: 0 },
  };
  const outcomes = [...unrunnable(claim, retry)].map(([{ id }, { kind }]) => [id, kind]);
  assertEquals(outcomes, [["1", "retry"], ["2", "dead"]]);
});
