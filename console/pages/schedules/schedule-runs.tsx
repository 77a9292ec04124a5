/** Runs of a schedule with their outcomes. */

import type { JSX } from "preact";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { formatDuration, formatExact } from "../../components/relative-time.ts";
import { Empty } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { type Run, RunOutcome } from "./schedule-parts.tsx";

const COLUMNS: readonly Column<Run>[] = [
  {
    key: "occurrence",
    title: "Planned for",
    isName: true,
    cell: ({ occurrence }) => (
      <span class="run-time" title={formatExact(Date.parse(occurrence))}>
        {occurrence.slice(0, 19).replace("T", " ")} UTC
      </span>
    ),
  },
  { key: "outcome", title: "Outcome", cell: ({ outcome }) => <RunOutcome outcome={outcome} /> },
  {
    key: "run",
    title: "Run",
    isNumber: true,
    cell: ({ run, triggered }) => triggered ? "triggered" : run ?? "–",
  },
  { key: "message", title: "Message", cell: (run) => <MessageLink run={run} /> },
  {
    key: "late",
    title: "Late by",
    isNumber: true,
    cell: ({ occurrence, enqueuedAt }) => distance(occurrence, enqueuedAt),
  },
  {
    key: "took",
    title: "Done after",
    isNumber: true,
    cell: ({ enqueuedAt, finishedAt }) => distance(enqueuedAt, finishedAt),
  },
  {
    key: "reason",
    title: "Reason",
    isWide: true,
    cell: ({ reason }) => reason && <SafeText text={reason} longest={300} />,
  },
  {
    key: "when",
    title: "When",
    isNumber: true,
    cell: ({ occurrence }) => <Time at={occurrence} />,
  },
];

/** Shows the runs, the newest first. */
export function ScheduleRuns({ runs }: { readonly runs: readonly Run[] }): JSX.Element {
  if (runs.length === 0) {
    return <Empty title="It has not run yet">Each run is kept here with its outcome.</Empty>;
  }
  return (
    <DataTable
      caption="Runs, the newest first"
      columns={COLUMNS}
      rows={runs}
      keyOf={({ occurrence }) => occurrence}
      toneOf={({ outcome }) => outcome === "failed" ? "bad" : undefined}
    />
  );
}

/** A handled message is gone; a failed one is a dead letter. */
function MessageLink({ run: { messageId, outcome } }: { readonly run: Run }): JSX.Element {
  if (messageId === null) return <span class="muted">–</span>;
  if (outcome === "handled") return <span class="mono muted">{messageId}</span>;
  const area = outcome === "failed" ? "dead-letters" : "messages";
  return <Link href={hrefTo(pathOf(area, messageId))} class="mono">{messageId}</Link>;
}

function distance(from: string | null, until: string | null): string {
  if (from === null || until === null) return "–";
  return formatDuration(Math.max(0, Date.parse(until) - Date.parse(from)));
}
