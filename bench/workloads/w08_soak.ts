/** W8: a steady load while long readers overlap, as reports and dumps do: does it stay bounded? */

import type postgres from "postgres";
import type { Drained, Progress } from "../agents/queue.ts";
import { checkCounts, DEFAULTS } from "../harness/drain.ts";
import { every } from "../harness/every.ts";
import { startReaders } from "../harness/horizon.ts";
import { atMost, type Series } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { median, percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const RATE = 800;
const READERS = 3;
const SNAPSHOTS = 180;
const RECOVERED_WITHIN_MS = 30_000;

/** Figures of one moment. */
interface Snapshot {
  readonly atS: number;
  readonly backlog: number;
  readonly claimP99Ms: number;
  readonly tableMb: number;
  readonly indexesMb: number;
}

/** The load on Postgres meanwhile, the producer's and the readers' calls included. */
interface Cost {
  readonly cores: number;
  readonly callsPerSecond: number;
}

interface Soaked {
  readonly sent: number;
  readonly recoveryS: number;
}

/** Backlog, claim latency and sizes under 800 messages a second. */
export const w08: Workload = {
  id: "W8",
  title: "800 messages a second under long readers",
  async run({ options: { sizes: { soakMs, readerMs } }, systems: { ours }, cpu }) {
    await using producer = await ours.agent();
    await using worker = await ours.agent();
    await ours.clear();
    await ours.settle();
    let handled = 0;
    worker.listen((progress: Progress) => handled = progress.handled);
    await worker.call("drain", DEFAULTS);

    const snapshots: Snapshot[] = [];
    const startedAt = performance.now();
    const cpuBefore = cpu().postgres;
    let calls = 0;
    using _taking = every(soakMs / SNAPSHOTS, async () => {
      const claims = await worker.call<number[]>("claims");
      calls += claims.length;
      const atS = (performance.now() - startedAt) / 1000;
      snapshots.push({ atS, ...await snapshot(ours.sql), claimP99Ms: percentile(claims, 99) });
    });
    let sent: number;
    let load: Cost;
    {
      await using _readers = startReaders(ours.sql, READERS, readerMs);
      sent = await producer.call<number>("produce", { rate: RATE, forMs: soakMs });
      const elapsedMs = performance.now() - startedAt;
      load = {
        cores: (cpu().postgres - cpuBefore) / elapsedMs,
        callsPerSecond: calls * 1000 / elapsedMs,
      };
    }
    const recoveryFrom = performance.now();
    while (handled < sent || !await ours.isDrained()) {
      if (performance.now() - recoveryFrom > RECOVERED_WITHIN_MS) {
        throw new Error(`${handled} of ${sent} were handled`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const recoveryS = (performance.now() - recoveryFrom) / 1000;
    checkCounts("ours", [await worker.call<Drained>("stop")], sent);
    const seen = snapshots.filter(({ claimP99Ms }) => !Number.isNaN(claimP99Ms));
    return describe(seen, { sent, recoveryS, ...load });
  },
};

async function snapshot(sql: postgres.Sql): Promise<Omit<Snapshot, "atS" | "claimP99Ms">> {
  const [row] = await sql<{ backlog: number; table_bytes: string; index_bytes: string }[]>`
    select (select count(*)::integer from public.messenger_messages) as backlog,
      pg_relation_size('public.messenger_messages') as table_bytes,
      pg_indexes_size('public.messenger_messages') as index_bytes`;
  return {
    backlog: row?.backlog ?? NaN,
    tableMb: Number(row?.table_bytes) / 1e6,
    indexesMb: Number(row?.index_bytes) / 1e6,
  };
}

function describe(snapshots: readonly Snapshot[], { sent, recoveryS, ...load }: Soaked & Cost) {
  const figures = new Samples();
  const half = snapshots.slice(Math.floor(snapshots.length / 2));
  const halfBefore = snapshots.slice(0, Math.floor(snapshots.length / 2));
  const mb = ({ tableMb, indexesMb }: Snapshot) => tableMb + indexesMb;
  const most = (some: readonly Snapshot[], of: (snapshot: Snapshot) => number) =>
    Math.max(...some.map(of));
  figures.add("messages sent", "messages", sent);
  figures.add("largest backlog", "messages", most(snapshots, ({ backlog }) => backlog));
  figures.add("median backlog", "messages", median(snapshots.map(({ backlog }) => backlog)));
  figures.add("largest p99 of a claim", "ms", most(snapshots, ({ claimP99Ms }) => claimP99Ms));
  figures.add("median p99 of a claim", "ms", median(snapshots.map(({ claimP99Ms }) => claimP99Ms)));
  figures.add("largest size, first half", "MB", most(halfBefore, mb));
  figures.add("largest size, second half", "MB", most(half, mb));
  figures.add("recovery after the last message", "s", recoveryS);
  figures.add("Postgres: busy", "cores", load.cores);
  figures.add("round trips of the worker", "a second", load.callsPerSecond);
  const series = (plot: string, name: string, of: (snapshot: Snapshot) => number): Series => ({
    plot,
    name,
    points: snapshots.map((snapshot) => [snapshot.atS, of(snapshot)]),
  });
  return {
    measurements: figures.measurements,
    goals: [
      atMost("largest backlog, in seconds of load", figures.median("largest backlog") / RATE, 2),
      atMost("largest p99 of a claim, ms", figures.median("largest p99 of a claim"), 250),
      atMost("recovery, s", recoveryS, 5),
      atMost(
        "largest size, second half : first half",
        figures.median("largest size, second half") / figures.median("largest size, first half"),
        1.25,
      ),
    ],
    series: [
      series("backlog", "waiting or running", ({ backlog }) => backlog),
      series("claims", "settle and claim", ({ claimP99Ms }) => claimP99Ms),
      series("size", "table", ({ tableMb }) => tableMb),
      series("size", "indexes", ({ indexesMb }) => indexesMb),
    ],
    notes: [
      `${READERS} readers overlap, so the horizon is never younger than the youngest of them. A ` +
      "claim's time is that of the worker's call through PostgREST, settling included.",
    ],
  };
}
