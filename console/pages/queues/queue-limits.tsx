/** The settings of a queue, in words. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";
import { laneOf } from "./lane-names.ts";

/** A rate limit in words: `10 in 1 s`. */
export function rateWords(limit: number | null, periodMs: number): string {
  if (limit === null) return "no limit";
  return `${formatNumber(limit)} in ${formatDuration(periodMs).replace(".0", "")}`;
}

/** The limits of each lane; functions of an older release know none. */
function laneEntries(queue: Schemas["Queue"]): readonly (readonly [string, string])[] {
  const { name, laneConcurrency = null, laneRateLimit = null, laneRatePeriodMs } = queue;
  if (laneOf(name) !== null || (laneConcurrency ?? laneRateLimit) === null) return [];
  return [
    ["Of one lane", laneConcurrency === null ? "no limit" : formatNumber(laneConcurrency)],
    ["Rate of one lane", rateWords(laneRateLimit, laneRatePeriodMs)],
  ];
}

/** Shows the settings. */
export function QueueLimits({ queue }: { readonly queue: Schemas["Queue"] }): JSX.Element {
  const { concurrency, groupConcurrency, rateLimit, ratePeriodMs } = queue;
  const { leaseMs, maxWorkers, weight, createdAt } = queue;
  const entries: readonly (readonly [string, JSX.Element | string])[] = [
    ["Concurrency", concurrency === null ? "no limit" : formatNumber(concurrency)],
    ["Of one group", formatNumber(groupConcurrency)],
    ["Rate", rateWords(rateLimit, ratePeriodMs)],
    ...laneEntries(queue),
    ["Ticks at once", formatNumber(maxWorkers)],
    ["Weight", formatNumber(weight)],
    ["Lease", leaseMs === null ? "the worker's choice" : formatDuration(leaseMs)],
    ["Created", <Time key="created" at={createdAt} />],
  ];
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
