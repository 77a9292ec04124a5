/** The changes that operators made, the latest first. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { useApi } from "../../shell/session.tsx";
import { actionWords, targetWords } from "./action-words.ts";

const COLUMNS: readonly Column<Schemas["Action"]>[] = [
  { key: "action", title: "Change", isName: true, cell: ({ action }) => actionWords(action) },
  {
    key: "target",
    title: "Of what",
    isWide: true,
    cell: ({ target }) => (
      <span class="mono" title={JSON.stringify(target)}>
        <SafeText text={targetWords(target)} longest={300} />
      </span>
    ),
  },
  {
    key: "affected",
    title: "Rows",
    isNumber: true,
    cell: ({ affected }) => formatNumber(affected),
  },
  { key: "actor", title: "By", cell: ({ actor }) => <SafeText text={actor} longest={60} /> },
  { key: "at", title: "When", isNumber: true, cell: ({ at }) => <Time at={at} /> },
];

/** The page. */
export function ActionsPage(_: PageProps): JSX.Element {
  const api = useApi();
  const pages = usePages("actions", (page, signal) =>
    answerOf(api.GET("/actions", {
      params: { query: page },
      signal,
    })));
  return (
    <>
      <PageHeader title="Action log" />
      <ResourceView resource={pages.resource}>
        {({ actions }) => (
          <>
            {actions.length === 0
              ? (
                <Empty title="Nothing was changed">
                  Changes over the management API are kept here for 90 days.
                </Empty>
              )
              : (
                <DataTable
                  caption="Changes of operators, the latest first"
                  columns={COLUMNS}
                  rows={actions}
                  keyOf={({ id }) => id}
                />
              )}
            <Pager pages={pages} count={actions.length} />
          </>
        )}
      </ResourceView>
    </>
  );
}
