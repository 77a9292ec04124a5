/** Events, and the messages that wait for them. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { useResource } from "../../api/use-resource.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Facts } from "../../components/facts.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { TextFilter } from "../../components/query-filters.tsx";
import { formatCount, formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import { PayloadView } from "../../payload/payload-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";

type Event = Schemas["EventSummary"];
type Waiting = Schemas["WaitingMessage"];

const EVENT_COLUMNS: readonly Column<Event>[] = [
  {
    key: "event",
    title: "Event",
    isName: true,
    isWide: true,
    cell: ({ event }) => <SafeText text={event} longest={100} />,
  },
  { key: "id", title: "Id", cell: ({ id }) => <span class="mono muted">{id}</span> },
  {
    key: "waiting",
    title: "Waiting now",
    isNumber: true,
    cell: ({ waiting }) => formatCount(waiting),
  },
  { key: "bytes", title: "Bytes", isNumber: true, cell: ({ bytes }) => formatNumber(bytes) },
  {
    key: "created",
    title: "Emitted",
    isNumber: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
];

const WAITING_COLUMNS: readonly Column<Waiting>[] = [
  { key: "id", title: "Message", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "type", title: "Type", cell: ({ type }) => <SafeText text={type} longest={60} /> },
  {
    key: "events",
    title: "Waits for",
    isWide: true,
    cell: ({ events }) => <SafeText text={events.join(", ")} longest={200} />,
  },
  { key: "queue", title: "Queue", cell: ({ queue }) => queue },
  {
    key: "until",
    title: "Times out",
    isNumber: true,
    cell: ({ until }) => <Time at={until} none="never" />,
  },
];

/** The page. */
export function EventsPage(_: PageProps): JSX.Element {
  const [query] = useQuery();
  const key = query.get("key") ?? "";
  const isWaiting = query.get("view") === "waiting";
  return (
    <>
      <PageHeader title="Events" />
      <Tabs
        label="Lists"
        name="view"
        tabs={[["", "Events"], ["waiting", "Messages that wait"]]}
      />
      <div class="filter-row">
        <TextFilter label="Key" name="key" placeholder="approved:42, as a whole" isFirst />
      </div>
      {isWaiting ? <WaitingMessages eventKey={key} /> : <EmittedEvents eventKey={key} />}
    </>
  );
}

function EmittedEvents({ eventKey }: { readonly eventKey: string }): JSX.Element {
  const api = useApi();
  const [query, setQuery] = useQuery();
  const pages = usePages(`events ${eventKey}`, (page, signal) =>
    answerOf(api.GET("/events", {
      params: {
        query: { ...page, ...(eventKey && { event: eventKey }) },
      },
      signal,
    })));
  const shown = query.get("event");
  return (
    <ResourceView resource={pages.resource}>
      {({ events }) => (
        <>
          {events.length === 0
            ? (
              <Empty title={eventKey ? "No event has this key" : "There are no events"}>
                messenger_emit emits one in SQL; the database keeps events for 30 days.
              </Empty>
            )
            : (
              <DataTable
                caption="Events, the latest first"
                columns={EVENT_COLUMNS}
                rows={events}
                keyOf={({ id }) => id}
                hrefOf={({ id }) => {
                  const { key, view } = Object.fromEntries(query);
                  return hrefTo("/events", { key, view, event: id });
                }}
              />
            )}
          <Pager pages={pages} count={events.length} />
          {shown && <EventDialog id={shown} onClose={() => setQuery({ event: null })} />}
        </>
      )}
    </ResourceView>
  );
}

function EventDialog(
  { id, onClose }: { readonly id: string; readonly onClose: () => void },
): JSX.Element {
  const api = useApi();
  const event = useResource(
    `event ${id}`,
    (signal) => answerOf(api.GET("/events/{id}", { params: { path: { id } }, signal })),
    { everyMs: null },
  );
  return (
    <Dialog title={`Event ${id}`} onClose={onClose} isWide>
      <ResourceView resource={event} skeletonRows={3}>
        {({ event, value, createdAt, waiting }) => (
          <>
            <Facts
              facts={[
                ["Key", <SafeText key="key" text={event} />],
                ["Emitted", <Time key="emitted" at={createdAt} />],
                ["Waiting now", formatCount(waiting)],
              ]}
            />
            <PayloadView title="Value" value={value} />
          </>
        )}
      </ResourceView>
    </Dialog>
  );
}

function WaitingMessages({ eventKey }: { readonly eventKey: string }): JSX.Element {
  const api = useApi();
  const pages = usePages(
    `waiting ${eventKey}`,
    (page, signal) =>
      answerOf(api.GET("/events/waiting", {
        params: {
          query: { ...page, ...(eventKey && { event: eventKey }) },
        },
        signal,
      })),
  );
  return (
    <ResourceView resource={pages.resource}>
      {({ messages }) => (
        <>
          {messages.length === 0
            ? <Empty title="No message waits">A handler waits with ctx.waitFor(key).</Empty>
            : (
              <DataTable
                caption="Messages that wait for events, the latest first"
                columns={WAITING_COLUMNS}
                rows={messages}
                keyOf={({ id }) => id}
                hrefOf={({ id }) => hrefTo(pathOf("messages", id))}
              />
            )}
          <Pager pages={pages} count={messages.length} />
        </>
      )}
    </ResourceView>
  );
}
