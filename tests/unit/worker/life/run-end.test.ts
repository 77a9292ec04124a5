/** The end of a run by its signals. */

import { assertEquals } from "@std/assert";
import { Change } from "../../../../supabase/functions/_shared/symphony/worker/change.ts";
import { RunEnd } from "../../../../supabase/functions/_shared/symphony/worker/life/run-end.ts";
import { logTo } from "../../../support/kept_log.ts";

Deno.test("the first signal to stop counts, whatever comes after it", () => {
  const { now } = performance;
  let time = 0;
  performance.now = () => time;
  try {
    const [stop, drain] = [new AbortController(), new AbortController()];
    const signals = { signal: stop.signal, drain: drain.signal };
    const end = new RunEnd(
      { budgetMs: 1_000, maxMs: 5_000, ...signals, log: logTo([]) },
      new Change(),
    );
    assertEquals([end.mayStart(0), end.hasCome(0), end.stopsAt], [true, false, 5_000]);
    time = 100;
    stop.abort();
    time = 200;
    drain.abort();
    assertEquals([end.mayStart(200), end.hasCome(150), end.stopsAt], [false, true, 100]);
    end.close();
  } finally {
    performance.now = now;
  }
});
