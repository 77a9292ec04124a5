/** The state of the bus in Prometheus's text format, version 0.0.4. Pure. */

import type { Stats } from "./stats-schemas.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** Writes the metrics. All are gauges: the database keeps the latest ticks, not sums since the start. */
export function toMetrics(stats: Stats): string {
  const { queues, leftOut, leftOutInUse, deadLetters, schedules, ticks } = stats;
  const now = Date.parse(stats.now);
  const seconds = (time: string) => Date.parse(time) / 1000;
  const states = ["due", "delayed", "blocked", "quarantined", "processing"] as const;
  return [
    gauge(
      "queue_messages",
      "Messages of a queue by state; counted up to 10000",
      queues.flatMap((queue) =>
        states.map((state): Sample => [{ queue: queue.name, state }, queue[state].count])
      ),
    ),
    gauge(
      "queue_oldest_ready_seconds",
      "For how long the oldest due message of a queue has waited",
      queues.map(({ name, oldestReadyAt }) => [
        { queue: name },
        oldestReadyAt === null ? 0 : Math.max(0, now / 1000 - seconds(oldestReadyAt)),
      ]),
    ),
    gauge(
      "queue_paused",
      "1 if the queue is paused",
      queues.map(({ name, paused }) => [{ queue: name }, Number(paused)]),
    ),
    gauge("queues_left_out", "Queues without metrics of their own: there are more than 200", [
      [{ state: "in_use" }, leftOutInUse],
      [{ state: "empty" }, leftOut - leftOutInUse],
    ]),
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
      "When the last tick began, in seconds since 1970; 0 for never",
      [[{}, ticks.lastAt === null ? 0 : seconds(ticks.lastAt)]],
    ),
    gauge("ticks_awake", "Ticks that look for messages", [[{}, ticks.awake]]),
    gauge(
      "recent_messages",
      "What the ticks that ended within a window did",
      ticks.rates.flatMap((rate) =>
        (["claimed", "handled", "retried", "failed"] as const).map((outcome): Sample => [
          { outcome, window: `${rate.seconds}s` },
          rate[outcome],
        ])
      ),
    ),
  ].join("");
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  const full = `symphony_${name}`;
  const lines = samples.map(([labels, value]) => `${full}${write(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${lines.join("")}`;
}

function write(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
