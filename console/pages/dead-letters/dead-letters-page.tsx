/** Dead letters: each by itself, or grouped by type and error. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { serverNow } from "../../api/server-clock.ts";
import { usePages } from "../../api/use-pages.ts";
import { BulkButtons } from "../../bulk/bulk-buttons.tsx";
import { useSelection } from "../../bulk/use-selection.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import { FilterBar } from "../../filters/filter-bar.tsx";
import { type Filter, toRequest } from "../../filters/filter-fields.ts";
import { FilterProblems } from "../../filters/filter-problems.tsx";
import { DEAD_LETTER_FIELDS, describeFilter } from "../../filters/message-fields.ts";
import {
  type SeenRow,
  useFilter,
  useFilterProblems,
  useKnownValues,
} from "../../filters/use-filter.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { ErrorGroups } from "./error-groups.tsx";
import { NoDeadLetters } from "./no-dead-letters.tsx";

type Row = Schemas["FailedMessageSummary"];

const NO_ROWS: readonly SeenRow[] = [];
const COLUMNS: readonly Column<Row>[] = [
  { key: "id", title: "Id", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "type", title: "Type", cell: ({ type }) => <SafeText text={type} longest={80} /> },
  { key: "reason", title: "Reason", cell: ({ reason }) => <Badge tone="bad">{reason}</Badge> },
  {
    key: "error",
    title: "Error",
    isWide: true,
    cell: ({ error }) => error && <SafeText text={error} longest={300} />,
  },
  { key: "queue", title: "Queue", cell: ({ queue }) => queue },
  { key: "attempts", title: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
  { key: "redriven", title: "Redriven", isNumber: true, cell: ({ redriven }) => redriven },
  { key: "failed", title: "Failed", cell: ({ failedAt }) => <Time at={failedAt} /> },
];

/** The page. */
export function DeadLettersPage(): JSX.Element {
  const [filter, setFilter] = useFilter(DEAD_LETTER_FIELDS);
  const problems = useFilterProblems(DEAD_LETTER_FIELDS);
  const [query] = useQuery();
  const [selected, setSelected] = useSelection(query.toString());
  const [rows, setRows] = useState(NO_ROWS);
  const known = useKnownValues(rows);
  const isGrouped = query.get("view") !== "list";
  return (
    <>
      <PageHeader title="Dead letters" />
      <Tabs label="View" name="view" tabs={[["", "By error"], ["list", "Each"]]} />
      <FilterBar fields={DEAD_LETTER_FIELDS} known={known} filter={filter} onChange={setFilter} />
      <FilterProblems problems={problems} />
      <BulkButtons
        verbs={["redrive", "remove"]}
        noun="dead letter"
        selected={selected}
        onClear={() => setSelected(new Set())}
        title={describeFilter("dead letters", DEAD_LETTER_FIELDS, filter)}
        filterBody={problems.length === 0
          ? () => toRequest(DEAD_LETTER_FIELDS, filter, serverNow())
          : null}
      />
      {isGrouped
        ? <ErrorGroups filter={filter} isWhole={problems.length === 0} onRows={setRows} />
        : (
          <DeadLetterList
            filter={filter}
            onRows={setRows}
            selected={selected}
            onSelect={setSelected}
          />
        )}
    </>
  );
}

interface ListProps {
  readonly filter: Filter;
  /** Told the rows that came, for suggestions. */
  readonly onRows: (rows: readonly SeenRow[]) => void;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

function DeadLetterList({ filter, onRows, selected, onSelect }: ListProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const pages = usePages(`dead letters ${JSON.stringify(filter)}`, async (page, signal) => {
    const request = toRequest(DEAD_LETTER_FIELDS, filter, serverNow());
    const query = { ...request, ...page };
    const found = await answerOf(
      // The fields' choices are those of the API.
      api.GET("/failed-messages", { params: { query: query as never }, signal }),
    );
    onRows(found.messages);
    return found;
  });
  return (
    <>
      <ResourceView resource={pages.resource} skeletonRows={10}>
        {({ messages, next }) =>
          messages.length === 0 && next === null
            ? <NoDeadLetters isFiltered={Object.keys(filter).length > 0} />
            : (
              <DataTable<Row>
                caption="Dead letters, the latest first"
                columns={COLUMNS}
                rows={messages}
                keyOf={({ id }) => id}
                hrefOf={({ id }) => hrefTo(pathOf("dead-letters", id))}
                selection={canChange ? { selected, onChange: onSelect } : undefined}
              />
            )}
      </ResourceView>
      <Pager pages={pages} count={pages.resource.data?.messages.length ?? 0} />
    </>
  );
}
