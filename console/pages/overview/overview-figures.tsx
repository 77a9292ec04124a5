/** The figures of now. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { FigureTile, FigureTiles } from "../../components/figure-tile.tsx";
import {
  formatAge,
  formatCount,
  formatDuration,
  formatNumber,
} from "../../components/relative-time.ts";
import { Time, useNow } from "../../components/time.tsx";
import { hrefTo } from "../../shell/router.tsx";

type Stats = Schemas["Stats"];
type Queue = Schemas["Queue"];

/** The oldest due message counts as late from here on, as the health sees it. */
const LATE_MS = 300_000;

/** Adds up a count of all queues. */
function total(queues: readonly Queue[], name: "due" | "delayed" | "processing") {
  return {
    count: queues.reduce((sum, queue) => sum + queue[name].count, 0),
    capped: queues.some((queue) => queue[name].capped),
  };
}

/** Shows the figures. */
export function OverviewFigures({ stats }: { readonly stats: Stats }): JSX.Element {
  return (
    <FigureTiles>
      <Flow stats={stats} />
      <Waiting stats={stats} />
      <Machinery stats={stats} />
    </FigureTiles>
  );
}

function Flow({ stats: { deadLetters, rates, ticks } }: { readonly stats: Stats }): JSX.Element {
  // Functions of an older release count ticks alone.
  const recent = rates?.[0] ?? ticks.rates[0];
  return (
    <>
      <FigureTile
        label="Handled"
        value={recent ? formatNumber(recent.handled, { isShort: true }) : "–"}
        note={recent &&
          `${formatNumber(recent.retried, { isShort: true })} retried, in ${
            formatDuration(recent.seconds * 1_000)
          }`}
      />
      <FigureTile
        label="Dead letters"
        value={formatCount(deadLetters.total)}
        note={`${formatCount(deadLetters.lastHour)} in the last hour`}
        tone={deadLetters.lastHour.count > 0 ? "bad" : undefined}
        href={hrefTo("/dead-letters")}
      />
    </>
  );
}

function Waiting({ stats }: { readonly stats: Stats }): JSX.Element {
  const { queues, leftOutInUse, ticks } = stats;
  const now = useNow();
  const since = queues.filter(({ paused }) => !paused).flatMap(({ oldestReadyAt }) =>
    oldestReadyAt ? [Date.parse(oldestReadyAt)] : []
  );
  const waitsMs = since.length > 0 ? Math.max(0, now - Math.min(...since)) : null;
  return (
    <>
      <FigureTile
        label="Due"
        value={formatCount(total(queues, "due"))}
        note={leftOutInUse > 0
          ? `in 200 queues; ${formatNumber(leftOutInUse)} more have messages`
          : `${formatCount(total(queues, "delayed"))} delayed`}
        href={hrefTo("/messages")}
      />
      <FigureTile
        label="Running"
        value={formatCount(total(queues, "processing"))}
        note={`${formatNumber(ticks.awake)} ${ticks.awake === 1 ? "tick" : "ticks"} awake`}
        href={hrefTo("/ticks")}
      />
      <FigureTile
        label="Oldest ready"
        value={waitsMs === null ? "none" : formatAge(waitsMs)}
        note="paused queues left out"
        tone={waitsMs !== null && waitsMs > LATE_MS ? "warn" : undefined}
        href={hrefTo("/queues")}
      />
    </>
  );
}

function Machinery({ stats }: { readonly stats: Stats }): JSX.Element {
  const { queues, leftOut, schedules, ticks } = stats;
  const paused = queues.filter((queue) => queue.paused).length;
  const recent = ticks.rates[0];
  return (
    <>
      <FigureTile
        label="Paused"
        value={formatNumber(paused)}
        note={`of ${formatNumber(queues.length + leftOut)} queues`}
        tone={paused > 0 ? "warn" : undefined}
        href={hrefTo("/queues")}
      />
      <FigureTile
        label="Schedules"
        value={formatNumber(schedules.enabled)}
        note={`${formatNumber(schedules.disabled)} disabled`}
        href={hrefTo("/schedules")}
      />
      <FigureTile
        label="Last tick"
        value={<Time at={ticks.lastAt} none="never" />}
        note={recent &&
          `${formatNumber(recent.ticks)} in ${formatDuration(recent.seconds * 1_000)}`}
        href={hrefTo("/ticks")}
      />
    </>
  );
}
