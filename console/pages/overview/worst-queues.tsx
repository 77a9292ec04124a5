/** Queues that hold messages, the longest wait first. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty } from "../../components/resource-view.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { RUNNING_AND_OLDEST } from "../queues/queue-columns.tsx";

type Queue = Schemas["Queue"];

const SHOWN = 6;
const COLUMNS: readonly Column<Queue>[] = [
  {
    key: "name",
    title: "Queue",
    isName: true,
    isWide: true,
    cell: ({ name }) => name,
  },
  {
    key: "state",
    title: "State",
    cell: ({ paused }) => paused && <Badge tone="warn" icon="pause">Paused</Badge>,
  },
  { key: "due", title: "Due", isNumber: true, cell: ({ due }) => formatCount(due) },
  ...RUNNING_AND_OLDEST,
];

function waitingSince({ oldestReadyAt }: Queue): number {
  return oldestReadyAt ? Date.parse(oldestReadyAt) : Infinity;
}

/** Shows the first of them. */
export function WorstQueues({ stats }: { readonly stats: Schemas["Stats"] }): JSX.Element {
  const waiting = stats.queues
    .filter(({ due, processing, paused }) => due.count + processing.count > 0 || paused)
    .sort((a, b) => waitingSince(a) - waitingSince(b) || b.due.count - a.due.count);
  return (
    <section class="section" aria-labelledby="queues-title">
      <div class="section-header">
        <h2 id="queues-title">Queues with messages</h2>
        <Link href={hrefTo("/queues")}>All queues</Link>
      </div>
      {waiting.length === 0
        ? <Empty title="No message waits">New messages start at once.</Empty>
        : (
          <DataTable
            caption="Queues that hold messages, the longest wait first"
            columns={COLUMNS}
            rows={waiting.slice(0, SHOWN)}
            keyOf={({ name }) => name}
            hrefOf={({ name }) => hrefTo(pathOf("queues", name))}
          />
        )}
    </section>
  );
}
