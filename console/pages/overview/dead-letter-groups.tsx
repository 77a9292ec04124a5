/** Dead letters by type and reason. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Empty } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link } from "../../shell/router.tsx";

type Group = Schemas["Stats"]["deadLetters"]["groups"][number];

const SHOWN = 6;
const COLUMNS: readonly Column<Group>[] = [
  {
    key: "type",
    title: "Type",
    isName: true,
    isWide: true,
    cell: ({ type }) => <SafeText text={type} longest={80} />,
  },
  { key: "reason", title: "Reason", cell: ({ reason }) => reason },
  { key: "count", title: "Count", isNumber: true, cell: ({ count }) => formatNumber(count) },
  { key: "last", title: "Last", isNumber: true, cell: ({ lastAt }) => <Time at={lastAt} /> },
];

/** Shows the largest groups. */
export function DeadLetterGroups({ stats }: { readonly stats: Schemas["Stats"] }): JSX.Element {
  const { groups } = stats.deadLetters;
  return (
    <section class="section" aria-labelledby="dead-letters-title">
      <div class="section-header">
        <h2 id="dead-letters-title">Dead letters by type</h2>
        <Link href={hrefTo("/dead-letters")}>All dead letters</Link>
      </div>
      {groups.length === 0
        ? (
          <Empty title="There are no dead letters">
            Every message was handled, or still waits.
          </Empty>
        )
        : (
          <DataTable
            caption="Dead letters by type and reason, the largest groups first"
            columns={COLUMNS}
            rows={groups.slice(0, SHOWN)}
            keyOf={({ type, reason }) => `${type} ${reason}`}
            hrefOf={({ type, reason }) => hrefTo("/dead-letters", { type, reason })}
          />
        )}
    </section>
  );
}
