/** Messages in the outbox: those that wait for their transport, and those that were sent and are kept for a while. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { BulkButtons } from "../../bulk/bulk-buttons.tsx";
import { useSelection } from "../../bulk/use-selection.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Pager } from "../../components/pager.tsx";
import { ChoiceFilter, TextFilter } from "../../components/query-filters.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, usePlace, useQuery } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { OutboxDialog } from "./outbox-dialog.tsx";
import { OutboxState } from "./outbox-state.tsx";

type Row = Schemas["OutboxMessage"];

/** A message is in the outbox once for each of its publications. */
const keyOf = ({ id, publication }: Row) => publication === 1 ? id : `${id}.${publication}`;
const idOf = (key: string) => key.split(".", 1)[0] ?? key;

const NAME: readonly Column<Row>[] = [
  { key: "id", title: "Id", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "type", title: "Type", cell: ({ type }) => <SafeText text={type} longest={80} /> },
];
const TRANSPORT: Column<Row> = {
  key: "transport",
  title: "Transport",
  cell: ({ transport }) => transport,
};
const PLACE: readonly Column<Row>[] = [
  { key: "queue", title: "Queue", cell: ({ queue }) => queue },
  {
    key: "group",
    title: "Group",
    cell: ({ groupKey }) =>
      groupKey && (
        <span class="cell-key">
          <SafeText text={groupKey} longest={24} />
        </span>
      ),
  },
  { key: "state", title: "State", cell: (message) => <OutboxState message={message} /> },
  {
    key: "refusal",
    title: "Refusal",
    isWide: true,
    cell: ({ refusal }) => refusal && <SafeText text={refusal} longest={300} />,
  },
];
const WAITING: Column<Row> = {
  key: "due",
  title: "Due",
  isNumber: true,
  cell: ({ availableAt }) => <Time at={availableAt} />,
};
const SENT: Column<Row> = {
  key: "sent",
  title: "Sent",
  isNumber: true,
  cell: ({ sentAt }) => <Time at={sentAt} />,
};

const columnsOf = (hasTransport: boolean, isWaiting: boolean): readonly Column<Row>[] => [
  ...NAME,
  ...(hasTransport ? [TRANSPORT] : []),
  ...PLACE,
  isWaiting ? WAITING : SENT,
];

const NO_ROWS: readonly Row[] = [];
const NONE: ReadonlySet<string> = new Set();

/** Properties of the list. */
export interface OutboxListProps {
  /** The transport, on its own page; left out, a filter tells. */
  readonly transport?: string;
}

/** The filter in the address, as the API takes it. */
function useOutboxFilter(fixed: string | undefined) {
  const { query } = usePlace();
  const transport = fixed ?? query.get("transport");
  const type = query.get("type");
  const queue = query.get("queue");
  return {
    filter: { ...(transport && { transport }), ...(type && { type }), ...(queue && { queue }) },
    state: query.get("state") === "sent" ? "sent" as const : "waiting" as const,
  };
}

/** Shows the messages that match the address, and one of them in full. */
export function OutboxList({ transport }: OutboxListProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const { path, query } = usePlace();
  const [, setQuery] = useQuery();
  const { filter, state } = useOutboxFilter(transport);
  const key = JSON.stringify([state, filter]);
  const [selected, setSelected] = useSelection(key);
  const pages = usePages(`outbox ${key}`, (page, signal) => {
    const params = { query: { ...page, ...filter, state } };
    return answerOf(api.GET("/outbox", { params, signal }));
  });
  const rows = pages.resource.data?.messages ?? NO_ROWS;
  const shown = rows.find((row) => keyOf(row) === query.get("message"));
  const isWaiting = state === "waiting";
  return (
    <>
      <OutboxFilters hasTransport={transport === undefined} />
      {isWaiting && (
        <CancelButtons
          filter={filter}
          selected={selected}
          onClear={() => setSelected(NONE)}
        />
      )}
      <ResourceView resource={pages.resource}>
        {({ messages }) =>
          messages.length === 0 ? <Nothing isWaiting={isWaiting} /> : (
            <DataTable<Row>
              caption={`Messages of the outbox that ${isWaiting ? "wait" : "were sent"}`}
              columns={columnsOf(transport === undefined, isWaiting)}
              rows={messages}
              keyOf={keyOf}
              hrefOf={(row) => hrefTo(path, { ...Object.fromEntries(query), message: keyOf(row) })}
              toneOf={({ refusals, sentAt }) => refusals > 0 && sentAt === null ? "bad" : undefined}
              selection={canChange && isWaiting ? { selected, onChange: setSelected } : undefined}
            />
          )}
      </ResourceView>
      <Pager pages={pages} count={rows.length} />
      {shown && <OutboxDialog message={shown} onClose={() => setQuery({ message: null })} />}
    </>
  );
}

interface CancelButtonsProps {
  readonly filter: Readonly<Record<string, string>>;
  /** By their keys. */
  readonly selected: ReadonlySet<string>;
  readonly onClear: () => void;
}

function CancelButtons({ filter, selected, onClear }: CancelButtonsProps): JSX.Element {
  return (
    <BulkButtons
      verbs={["cancelOutbox"]}
      noun="message"
      selected={new Set([...selected].map(idOf))}
      onClear={onClear}
      title={wordsOf(filter)}
      filterBody={() => filter}
    />
  );
}

function wordsOf(filter: Readonly<Record<string, string>>): string {
  const parts = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
  return `messages that wait in the outbox${parts.length > 0 ? `, with ${parts.join(", ")}` : ""}`;
}

function OutboxFilters({ hasTransport }: { readonly hasTransport: boolean }): JSX.Element {
  return (
    <div class="filter-row">
      {hasTransport && <TextFilter label="Transport" name="transport" isFirst />}
      <TextFilter label="Type" name="type" placeholder="as a whole" isFirst={!hasTransport} />
      <TextFilter label="Queue" name="queue" placeholder="with its lanes" />
      <ChoiceFilter label="State" name="state" choices={[["", "Waiting"], ["sent", "Sent"]]} />
    </div>
  );
}

function Nothing({ isWaiting }: { readonly isWaiting: boolean }): JSX.Element {
  return isWaiting
    ? <Empty title="No message waits">Relays publish what is due within milliseconds.</Empty>
    : <Empty title="No sent message is kept">By default they are kept for an hour.</Empty>;
}
