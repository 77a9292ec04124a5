/** A relay whose calls to the database are lost: its claim and its report are repeated under the lease's token. */

import { assertEquals } from "@std/assert";
import type {
  BatchReport,
  Publication,
} from "../../../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { TransportError } from "../../../../supabase/functions/_shared/symphony/transport/transport.ts";
import { runRelay } from "../../../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import { Broker } from "../../../support/broker.ts";
import { type LogLine, logTo } from "../../../support/kept_log.ts";

const row: Publication = {
  ...{ position: "1", id: "1", publication: 1, type: "T", payload: {}, queue: "default" },
  ...{ priority: 0, createdAt: "2026-01-01T00:00:00Z", availableAt: "2026-01-01T00:00:00Z" },
  ...{ retryCount: 0, attempts: 0, snoozes: 0, interruptions: 0, stamps: null, errors: null },
};

/** Runs a relay over one row whose reports end like this, one after the other. */
async function relay(ends: readonly (() => Promise<{ stale: boolean }>)[], lostClaims = 0) {
  const lines: LogLine[] = [];
  const reports: [token: string, report: BatchReport][] = [];
  const [ending, stop] = [new AbortController(), new AbortController()];
  ending.abort();
  let claimed = "";
  const claims: string[] = [];
  const outbox = {
    claim: (token: string) => {
      if (claims.push(token) <= lostClaims) return lost();
      if (claimed !== "") return Promise.resolve({ messages: [] });
      claimed = token;
      return Promise.resolve({ shard: 0, origin: crypto.randomUUID(), messages: [row] });
    },
    finish: (token: string, _shard: number, report: BatchReport) => {
      const end = ends[reports.length];
      reports.push([token, report]);
      // The last one never comes: the run is stopped.
      if (reports.length === ends.length && end === lost) stop.abort();
      return end?.() ?? Promise.reject(new Error("one report too many"));
    },
  };
  const parts = { name: "events", engine: new Broker(), outbox, log: logTo(lines) };
  const life = { ending: ending.signal, stop: stop.signal, endsAt: Infinity };
  const sent = await runRelay(parts, life);
  const events = lines.map(({ event }) => event);
  return { sent, events, reports, claims, token: claimed };
}

const lost = () => Promise.reject(new TransportError("test", "the database is away", true));
const written = (stale: boolean) => () => Promise.resolve({ stale });
const report = { sent: ["1"], refused: [], failure: null };

Deno.test("a report that is lost on its way is repeated under the same token", async () => {
  const { sent, reports, token, events } = await relay([lost, written(false)]);
  assertEquals([sent, reports], [1, [[token, report], [token, report]]]);
  assertEquals(events, ["call_repeated", "published"]);
});

Deno.test("a report whose answer is lost was no late one, although the lease has ended by then", async () => {
  const { sent, events } = await relay([lost, written(true)]);
  assertEquals([sent, events], [1, ["call_repeated", "published"]]);
});

Deno.test("a report that comes after another relay has the shard is told as late", async () => {
  const { events } = await relay([written(true)]);
  assertEquals(events, ["relay_was_late"]);
});

Deno.test("a relay that is stopped repeats its report no more", async () => {
  const { sent, reports, events } = await relay([lost]);
  assertEquals([sent, reports.length, events], [0, 1, ["relay_failed"]]);
});

Deno.test("a claim whose answer is lost is repeated under the same token, so that its shard waits for no lease", async () => {
  const { sent, claims, token, events } = await relay([written(false)], 2);
  assertEquals([sent, claims.slice(0, 3)], [1, [token, token, token]]);
  assertEquals(events, ["call_repeated", "call_repeated", "published"]);
});

Deno.test("a relay whose run ends while the database is away ends soon", async () => {
  const { claims, events } = await relay([], 100);
  assertEquals([claims.length, events.at(-1)], [3, "relay_failed"]);
});
