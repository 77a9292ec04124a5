/** Batches of messages, the latest first. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { TextFilter } from "../../components/query-filters.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import { type Batch, BatchProgress, BatchState } from "./batch-parts.tsx";

const COLUMNS: readonly Column<Batch>[] = [
  {
    key: "name",
    title: "Batch",
    isName: true,
    isWide: true,
    cell: ({ name }) => <SafeText text={name} longest={100} />,
  },
  { key: "id", title: "Id", cell: ({ id }) => <span class="mono muted">{id}</span> },
  { key: "state", title: "State", cell: ({ status }) => <BatchState status={status} /> },
  { key: "progress", title: "Done", cell: (batch) => <BatchProgress batch={batch} /> },
  { key: "failed", title: "Failed", isNumber: true, cell: ({ failed }) => formatNumber(failed) },
  {
    key: "created",
    title: "Begun",
    isNumber: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
  {
    key: "finished",
    title: "Finished",
    isNumber: true,
    cell: ({ finishedAt }) => <Time at={finishedAt} />,
  },
];

/** The page. */
export function BatchesPage(_: PageProps): JSX.Element {
  const api = useApi();
  const [query] = useQuery();
  const name = query.get("name") ?? "";
  const pages = usePages(`batches ${name}`, (page, signal) =>
    answerOf(api.GET("/batches", {
      params: { query: { ...page, ...(name && { name }) } },
      signal,
    })));
  return (
    <>
      <PageHeader title="Batches" />
      <div class="filter-row">
        <TextFilter label="Name" name="name" placeholder="its whole name" isFirst />
      </div>
      <ResourceView resource={pages.resource}>
        {({ batches }) => (
          <>
            {batches.length === 0
              ? <NoBatches isFiltered={name !== ""} hasMore={pages.onNext !== undefined} />
              : (
                <DataTable
                  caption="Batches, the latest first"
                  columns={COLUMNS}
                  rows={batches}
                  keyOf={({ id }) => id}
                  hrefOf={({ id }) => hrefTo(pathOf("batches", id))}
                  toneOf={({ status }) => status === "failed" ? "bad" : undefined}
                />
              )}
            <Pager pages={pages} count={batches.length} />
          </>
        )}
      </ResourceView>
    </>
  );
}

function NoBatches(
  { isFiltered, hasMore }: { readonly isFiltered: boolean; readonly hasMore: boolean },
): JSX.Element {
  if (hasMore) return <Empty title="None among these">The next page looks further back.</Empty>;
  if (isFiltered) {
    return <Empty title="No batch has this name">A name is compared as a whole.</Empty>;
  }
  return (
    <Empty title="There are no batches">
      bus.dispatchBatch dispatches messages whose end is told once.
    </Empty>
  );
}
