/** Queues with their depth. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { PAGE_SIZE, usePages } from "../../api/use-pages.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";

type Queue = Schemas["Queue"];

const COLUMNS: readonly Column<Queue>[] = [
  { key: "name", title: "Queue", isName: true, isWide: true, cell: ({ name }) => name },
  {
    key: "state",
    title: "State",
    cell: ({ paused }) =>
      paused ? <Badge tone="warn" icon="pause">Paused</Badge> : <Badge tone="ok">Active</Badge>,
  },
  { key: "due", title: "Due", isNumber: true, cell: ({ due }) => formatCount(due) },
  { key: "delayed", title: "Delayed", isNumber: true, cell: ({ delayed }) => formatCount(delayed) },
  {
    key: "processing",
    title: "Running",
    isNumber: true,
    cell: ({ processing }) => formatCount(processing),
  },
  {
    key: "oldest",
    title: "Oldest due",
    isNumber: true,
    cell: ({ oldestReadyAt }) => <Time at={oldestReadyAt} />,
  },
];

/** The page. */
export function QueuesPage(_: PageProps): JSX.Element {
  const api = useApi();
  const pages = usePages("queues", (cursor, signal) =>
    answerOf(api.GET("/queues", {
      params: { query: { limit: PAGE_SIZE, ...(cursor && { cursor }) } },
      signal,
    })));
  return (
    <>
      <PageHeader title="Queues" />
      <ResourceView resource={pages.resource}>
        {({ queues }) =>
          queues.length === 0
            ? <Empty title="There are no queues">The first dispatch makes the queue default.</Empty>
            : (
              <>
                <DataTable
                  caption="Queues with their depth"
                  columns={COLUMNS}
                  rows={queues}
                  keyOf={({ name }) => name}
                  hrefOf={({ name }) => hrefTo(pathOf("queues", name))}
                />
                <Pager pages={pages} count={queues.length} />
              </>
            )}
      </ResourceView>
    </>
  );
}
