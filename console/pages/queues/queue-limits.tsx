/** The settings of a queue, in words. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";

/** Shows the settings. */
export function QueueLimits({ queue }: { readonly queue: Schemas["Queue"] }): JSX.Element {
  const { concurrency, groupConcurrency, rateLimit, ratePeriodMs } = queue;
  const { leaseMs, maxWorkers, weight, createdAt } = queue;
  const entries: readonly (readonly [string, JSX.Element | string])[] = [
    ["Concurrency", concurrency === null ? "no limit" : formatNumber(concurrency)],
    ["Of one group", formatNumber(groupConcurrency)],
    [
      "Rate",
      rateLimit === null
        ? "no limit"
        : `${formatNumber(rateLimit)} in ${formatDuration(ratePeriodMs).replace(".0", "")}`,
    ],
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
