/** Messages that wait or run. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { serverNow } from "../../api/server-clock.ts";
import { usePages } from "../../api/use-pages.ts";
import { useResource } from "../../api/use-resource.ts";
import { BulkButtons } from "../../bulk/bulk-buttons.tsx";
import { useSelection } from "../../bulk/use-selection.ts";
import { type Column, DataTable, type Selection } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import { FilterBar } from "../../filters/filter-bar.tsx";
import { toRequest } from "../../filters/filter-fields.ts";
import { FilterProblems } from "../../filters/filter-problems.tsx";
import { describeFilter, MESSAGE_FIELDS, STATUS_FIELD } from "../../filters/message-fields.ts";
import { useFilter, useFilterProblems, useKnownValues } from "../../filters/use-filter.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { MessageButtons } from "./message-buttons.tsx";
import { MessageState } from "./message-state.tsx";

type Row = Schemas["MessageSummary"];
type Status = Row["status"];

const NO_ROWS: readonly Row[] = [];
const ALL_FIELDS = [...MESSAGE_FIELDS, STATUS_FIELD];
const COLUMNS: readonly Column<Row>[] = [
  { key: "id", title: "Id", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "type", title: "Type", cell: ({ type }) => <SafeText text={type} longest={80} /> },
  { key: "state", title: "State", cell: (row) => <MessageState message={row} /> },
  { key: "due", title: "Due", cell: ({ availableAt }) => <Time at={availableAt} /> },
  { key: "queue", title: "Queue", cell: ({ queue }) => queue },
  { key: "attempts", title: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
  {
    key: "error",
    title: "Last error",
    isWide: true,
    cell: ({ error }) => error && <SafeText text={error} longest={300} />,
  },
  { key: "created", title: "Dispatched", cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** The page. */
export function MessagesPage(): JSX.Element {
  const api = useApi();
  const [filter, setFilter] = useFilter(MESSAGE_FIELDS);
  const [query] = useQuery();
  const status = statusOf(query.get("status"));
  const problems = useFilterProblems(ALL_FIELDS);
  const [selected, setSelected] = useSelection(query.toString());
  const request = () => toRequest(MESSAGE_FIELDS, filter, serverNow());
  const pages = usePages(
    `messages ${status} ${JSON.stringify(filter)}`,
    (page, signal) => {
      const query = { ...request(), ...(status && { status }), ...page };
      return answerOf(api.GET("/messages", { params: { query }, signal }));
    },
  );
  const rows = pages.resource.data?.messages ?? NO_ROWS;
  const known = useKnownValues(rows);
  return (
    <>
      <PageHeader title="Messages" />
      <StatusTabs />
      <FilterBar fields={MESSAGE_FIELDS} known={known} filter={filter} onChange={setFilter} />
      <FilterProblems problems={problems} />
      <BulkButtons
        verbs={["run", "cancel"]}
        noun="message"
        selected={selected}
        onClear={() => setSelected(new Set())}
        title={describeFilter("messages", MESSAGE_FIELDS, filter)}
        filterBody={status === null && problems.length === 0 ? request : null}
      />
      <ResourceView resource={pages.resource} skeletonRows={10}>
        {({ messages, next }) =>
          messages.length === 0 && next === null
            ? <Nothing isFiltered={status !== null || Object.keys(filter).length > 0} />
            : (
              <MessageTable
                rows={messages}
                selection={{ selected, onChange: setSelected }}
                onDone={pages.resource.reload}
              />
            )}
      </ResourceView>
      <Pager pages={pages} count={rows.length} />
    </>
  );
}

interface MessageTableProps {
  readonly rows: readonly Row[];
  readonly selection: Selection;
  readonly onDone: () => void;
}

function MessageTable({ rows, selection, onDone }: MessageTableProps): JSX.Element {
  const canChange = useCanChange();
  return (
    <DataTable<Row>
      caption="Messages, the latest first"
      columns={COLUMNS}
      rows={rows}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => hrefTo(pathOf("messages", id))}
      selection={canChange ? selection : undefined}
      actions={canChange
        ? (row) => <MessageButtons message={row} onDone={onDone} isShort />
        : undefined}
    />
  );
}

function statusOf(text: string | null): Status | null {
  return text === "pending" || text === "processing" ? text : null;
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  return isFiltered
    ? (
      <Empty title="No message matches">
        Handled messages are deleted; dead letters have a page of their own.
      </Empty>
    )
    : (
      <Empty title="No message waits or runs">
        Everything that was dispatched is handled, or is a dead letter.
      </Empty>
    );
}

function StatusTabs(): JSX.Element {
  const counts = useCounts();
  const words = (title: string, name: Status | "all") => `${title} ${counts?.[name] ?? "…"}`;
  return (
    <Tabs
      label="Status"
      name="status"
      tabs={[
        ["", words("All", "all")],
        ["pending", words("Waiting", "pending")],
        ["processing", words("Running", "processing")],
      ]}
    />
  );
}

/** How many messages there are of each status, over the queues that the stats have. */
function useCounts(): Readonly<Record<Status | "all", string>> | null {
  const api = useApi();
  const { data } = useResource("stats", (signal) => answerOf(api.GET("/stats", { signal })), {
    everyMs: 10_000,
  });
  if (!data) return null;
  const sum = { pending: 0, processing: 0 };
  let capped = data.leftOutInUse > 0;
  for (const { due, delayed, blocked, quarantined, processing } of data.queues) {
    for (const one of [due, delayed, blocked, quarantined]) sum.pending += one.count;
    sum.processing += processing.count;
    capped ||= [due, delayed, blocked, quarantined, processing].some((one) => one.capped);
  }
  return {
    all: formatCount({ count: sum.pending + sum.processing, capped }),
    pending: formatCount({ count: sum.pending, capped }),
    processing: formatCount({ count: sum.processing, capped }),
  };
}
