/** The state of the bus in Prometheus's text format, version 0.0.4. Pure. */

import type { BusStats } from "../database/bus-state.ts";
import type { TransportStatus } from "../database/outbox-lists.ts";
import type { TypeTotals } from "../database/series-calls.ts";
import { BUCKETS, longestOf } from "../message/series-point.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const STATES = ["due", "delayed", "blocked", "quarantined", "processing"] as const;

/**
 * Writes the metrics.
 * @param totals since the installation, by type
 * @param transports beside home
 */
export function toMetrics(
  stats: BusStats,
  totals: readonly TypeTotals[],
  transports: readonly TransportStatus[],
): string {
  return [
    ...queueGauges(stats),
    ...otherGauges(stats),
    ...outboxGauges(stats, transports),
    ...typeTotals(totals),
  ].join("");
}

function queueGauges({ now, queues, leftOut, leftOutInUse }: BusStats): string[] {
  return [
    gauge(
      "queue_messages",
      "Messages of a queue by state; counted up to 10000",
      queues.flatMap((queue) =>
        STATES.map((state): Sample => [{ queue: queue.name, state }, queue[state].count])
      ),
    ),
    gauge(
      "queue_oldest_ready_seconds",
      "Waiting time of the oldest due message of a queue",
      queues.map(({ name, oldestReadyAt }) => [
        { queue: name },
        waited(now, oldestReadyAt),
      ]),
    ),
    gauge(
      "queue_paused",
      "1 if the queue is paused",
      queues.map(({ name, paused }) => [{ queue: name }, Number(paused)]),
    ),
    gauge("queues_left_out", "Queues beyond the first 200, which have no metrics of their own", [
      [{ state: "in_use" }, leftOutInUse],
      [{ state: "empty" }, leftOut - leftOutInUse],
    ]),
  ];
}

function otherGauges({ deadLetters, schedules, ticks }: BusStats): string[] {
  return [
    gauge("dead_letters", "Dead letters; counted up to 10000", [[{}, deadLetters.total.count]]),
    gauge(
      "dead_letters_last_hour",
      "Dead letters of the last hour; counted up to 10000",
      [[{}, deadLetters.lastHour.count]],
    ),
    gauge("schedules", "Schedules by state", [
      [{ state: "enabled" }, schedules.enabled],
      [{ state: "disabled" }, schedules.disabled],
    ]),
    gauge(
      "last_tick_timestamp_seconds",
      "Start of the last tick, in seconds since 1970; 0 if there was none",
      [[{}, ticks.lastAt === null ? 0 : seconds(ticks.lastAt)]],
    ),
    gauge("ticks_awake", "Ticks that look for messages", [[{}, ticks.awake]]),
    gauge(
      "recent_messages",
      "Messages of the ticks that ended within a window, by outcome",
      ticks.rates.flatMap((rate) =>
        (["claimed", "handled", "retried", "failed"] as const).map((outcome): Sample => [
          { outcome, window: `${rate.seconds}s` },
          rate[outcome],
        ])
      ),
    ),
  ];
}

/** Of projects that have a transport beside home. */
function outboxGauges(
  { now }: Pick<BusStats, "now">,
  transports: readonly TransportStatus[],
): string[] {
  if (transports.length === 0) return [];
  return [
    gauge(
      "outbox_messages",
      "Messages that wait in the outbox for a transport; counted up to 100000",
      transports.flatMap(({ name: transport, waiting, due, refused }): Sample[] => [
        [{ transport, state: "due" }, due.count],
        [{ transport, state: "delayed" }, waiting.count - due.count],
        [{ transport, state: "refused" }, refused],
      ]),
    ),
    gauge(
      "outbox_oldest_due_seconds",
      "Waiting time of the oldest due message of a transport",
      transports.map(({ name, oldestDueAt }) => [
        { transport: name },
        waited(now, oldestDueAt),
      ]),
    ),
    gauge(
      "transport_failures",
      "Failures in a row of a transport; 0 if it can be reached",
      transports.map(({ name, failures }) => [{ transport: name }, failures ?? 0]),
    ),
  ];
}

/** Counters and histograms: they only grow, so that Prometheus finds their rates and quantiles. */
function typeTotals(totals: readonly TypeTotals[]): string[] {
  return [
    metric(
      "messages_total",
      "counter",
      "Messages since the installation: handled, retried attempts, and dead letters",
      totals.flatMap((total) =>
        (["handled", "retried", "failed"] as const).map((outcome): Sample => [
          { type: total.type, outcome },
          total[outcome],
        ])
      ),
    ),
    histogram(
      "message_latency_seconds",
      "Time from the moment a message is due to the start of its attempt",
      totals.map(({ type, latency, latencyMs }) => ({ type, counts: latency, sumMs: latencyMs })),
    ),
    histogram(
      "message_run_seconds",
      "How long attempts ran",
      totals.map(({ type, runs, runMs }) => ({ type, counts: runs, sumMs: runMs })),
    ),
  ];
}

interface TypeHistogram {
  readonly type: string;
  readonly counts: readonly number[];
  readonly sumMs: number;
}

function histogram(name: string, help: string, types: readonly TypeHistogram[]): string {
  const full = `symphony_${name}`;
  const lines = types.flatMap(({ type, counts, sumMs }) => {
    let soFar = 0;
    const buckets = Array.from({ length: BUCKETS }, (_, place) => {
      soFar += counts[place] ?? 0;
      const longest = longestOf(place);
      const le = longest === Infinity ? "+Inf" : String(longest / 1_000);
      return `${full}_bucket${write({ type, le })} ${soFar}\n`;
    });
    const labels = write({ type });
    return [
      ...buckets,
      `${full}_sum${labels} ${sumMs / 1_000}\n`,
      `${full}_count${labels} ${soFar}\n`,
    ];
  });
  return `${head(full, "histogram", help)}${lines.join("")}`;
}

/** Seconds since a moment; 0 without one. */
function waited(now: string, since: string | null): number {
  return since === null ? 0 : Math.max(0, seconds(now) - seconds(since));
}

function seconds(time: string): number {
  return Date.parse(time) / 1000;
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  return metric(name, "gauge", help, samples);
}

function metric(name: string, kind: string, help: string, samples: readonly Sample[]): string {
  const full = `symphony_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${write(labels)} ${value}\n`);
  return `${head(full, kind, help)}${lines.join("")}`;
}

function head(name: string, kind: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
}

function write(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
