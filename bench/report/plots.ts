/** Which plots are made of which results. */

import type { Measurement, StoredResult } from "./result.ts";
import { median } from "./stats.ts";
import { type Bar, barChart, lineChart } from "./svg.ts";

/** Bars: the measurements of a workload that have this unit. */
const BARS: readonly { id: string; name: string; title: string; unit: string }[] = [
  { id: "W1", name: "enqueue", title: "Enqueue by 1,000", unit: "messages/s" },
  { id: "W2", name: "drain", title: "Drain, one worker process", unit: "messages/s" },
  { id: "W3", name: "workers", title: "Drain, several worker processes", unit: "messages/s" },
  { id: "W5", name: "start", title: "Dispatch to handler start, idle", unit: "ms" },
  { id: "W7", name: "claim", title: "99th percentile of claiming one message", unit: "ms" },
  { id: "W11", name: "wal", title: "WAL of one message, from enqueue to done", unit: "bytes" },
];

/** Curves, by the name that the workload gave the plot. */
const CURVES: Readonly<Record<string, { title: string; x: string; y: string }>> = {
  horizon: {
    title: "Drain with the xmin horizon held",
    x: "messages handled before",
    y: "messages/s",
  },
  backlog: { title: "Backlog under long readers", x: "seconds", y: "messages" },
  claims: { title: "99th percentile of a claim under long readers", x: "seconds", y: "ms" },
  size: { title: "Table and indexes under long readers", x: "seconds", y: "MB" },
  memory: { title: "Memory of the worker", x: "messages handled", y: "MB" },
};

/** The plots of the results that are there, by name. */
export function plots(results: readonly StoredResult[]): Map<string, string> {
  const drawn = new Map<string, string>();
  for (const { id, name, title, unit } of BARS) {
    const found = results.find((result) => result.id === id)?.measurements ?? [];
    const bars = found.filter((one) => one.unit === unit).map(toBar);
    if (bars.length > 0) drawn.set(name, barChart(title, unit, bars));
  }
  const series = results.flatMap((result) => result.series ?? []);
  for (const [name, { title, x, y }] of Object.entries(CURVES)) {
    const lines = series.filter(({ plot, points }) => plot === name && points.length > 0);
    if (lines.length > 0) drawn.set(name, lineChart(title, { x, y }, lines));
  }
  return drawn;
}

function toBar({ name, values }: Measurement): Bar {
  return {
    name,
    value: median(values),
    smallest: Math.min(...values),
    largest: Math.max(...values),
  };
}
