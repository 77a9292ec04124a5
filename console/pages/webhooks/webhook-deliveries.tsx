/** Attempts to deliver webhooks, with the HTTP answers of the receivers; they can be sent again. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { BulkButtons } from "../../bulk/bulk-buttons.tsx";
import { useSelection } from "../../bulk/use-selection.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Facts } from "../../components/facts.tsx";
import { Pager } from "../../components/pager.tsx";
import { ChoiceFilter, TextFilter } from "../../components/query-filters.tsx";
import { formatDuration } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { RawText } from "../../payload/raw-text.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf, usePlace, useQuery } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";

type Delivery = Schemas["WebhookDelivery"];

const COLUMNS: readonly Column<Delivery>[] = [
  { key: "id", title: "Id", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "endpoint", title: "Endpoint", cell: ({ endpoint }) => endpoint },
  { key: "event", title: "Event", cell: ({ event }) => event },
  { key: "state", title: "State", cell: (delivery) => <DeliveryOutcome delivery={delivery} /> },
  { key: "attempt", title: "Attempt", isNumber: true, cell: ({ attempt }) => attempt },
  {
    key: "duration",
    title: "Took",
    isNumber: true,
    cell: ({ durationMs }) => formatDuration(durationMs),
  },
  {
    key: "answer",
    title: "Answer",
    isWide: true,
    cell: ({ error, answer }) => <SafeText text={error ?? answer ?? ""} longest={300} />,
  },
  { key: "sent", title: "Sent", isNumber: true, cell: ({ sentAt }) => <Time at={sentAt} /> },
];

function DeliveryOutcome(
  { delivery: { delivered, status } }: { readonly delivery: Delivery },
): JSX.Element {
  return (
    <Badge tone={delivered ? "ok" : "bad"}>
      {delivered ? "Delivered" : "Failed"} {status}
    </Badge>
  );
}

const NO_ROWS: readonly Delivery[] = [];

/** Properties of the list. */
export interface WebhookDeliveriesProps {
  /** The endpoint, on its own page; left out, a filter tells. */
  readonly endpoint?: string;
}

/** The filter in the address, as the API takes it. */
function useDeliveryFilter(fixed: string | undefined) {
  const { query } = usePlace();
  const endpoint = fixed ?? query.get("endpoint");
  const event = query.get("event");
  const delivered = query.get("delivered");
  return {
    ...(endpoint && { endpoint }),
    ...(event && { event }),
    ...(delivered === "true" || delivered === "false" ? { delivered: delivered === "true" } : {}),
  };
}

/** Shows the attempts that match the address, and one of them in full. */
export function WebhookDeliveries({ endpoint }: WebhookDeliveriesProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const { path, query } = usePlace();
  const [, setQuery] = useQuery();
  const filter = useDeliveryFilter(endpoint);
  const key = JSON.stringify(filter);
  const [selected, setSelected] = useSelection(key);
  const pages = usePages(
    `webhook deliveries ${key}`,
    (page, signal) =>
      answerOf(
        api.GET("/webhook-deliveries", { params: { query: { ...page, ...filter } }, signal }),
      ),
  );
  const rows = pages.resource.data?.deliveries ?? NO_ROWS;
  const shown = rows.find(({ id }) => id === query.get("delivery"));
  const { delivered, ...wanted } = filter;
  return (
    <>
      <DeliveryFilters hasEndpoint={endpoint === undefined} />
      <BulkButtons
        verbs={["resend"]}
        noun="attempt"
        selected={selected}
        onClear={() => setSelected(new Set())}
        title={failedWords(wanted)}
        // A filter sends again what failed last: those that arrived are sent again by a selection.
        filterBody={delivered === true ? null : () => wanted}
      />
      <ResourceView resource={pages.resource}>
        {({ deliveries }) =>
          deliveries.length === 0 ? <Nothing isFiltered={key !== "{}"} /> : (
            <DataTable<Delivery>
              caption="Attempts to deliver webhooks, the latest first"
              columns={COLUMNS}
              rows={deliveries}
              keyOf={({ id }) => id}
              hrefOf={({ id }) => hrefTo(path, { ...Object.fromEntries(query), delivery: id })}
              toneOf={({ delivered }) => delivered ? undefined : "bad"}
              selection={canChange ? { selected, onChange: setSelected } : undefined}
            />
          )}
      </ResourceView>
      <Pager pages={pages} count={rows.length} />
      {shown && <DeliveryDialog delivery={shown} onClose={() => setQuery({ delivery: null })} />}
    </>
  );
}

function failedWords(wanted: { readonly endpoint?: string; readonly event?: string }): string {
  const parts = Object.entries(wanted).map(([name, value]) => `${name} ${value}`);
  return `attempts that failed last${parts.length > 0 ? `, with ${parts.join(", ")}` : ""}`;
}

function DeliveryFilters({ hasEndpoint }: { readonly hasEndpoint: boolean }): JSX.Element {
  return (
    <div class="filter-row">
      {hasEndpoint && <TextFilter label="Endpoint" name="endpoint" isFirst />}
      <TextFilter label="Event" name="event" placeholder="order.paid" isFirst={!hasEndpoint} />
      <ChoiceFilter
        label="State"
        name="delivered"
        choices={[["", "All"], ["false", "Failed"], ["true", "Delivered"]]}
      />
    </div>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  return isFiltered
    ? <Empty title="No attempt matches">Names are compared as a whole.</Empty>
    : <Empty title="Nothing was sent">messenger_publish sends an event to its endpoints.</Empty>;
}

function DeliveryDialog(
  { delivery, onClose }: { readonly delivery: Delivery; readonly onClose: () => void },
): JSX.Element {
  const { id, endpoint, event, eventId, messageId, attempt, durationMs, answer, error } = delivery;
  return (
    <Dialog title={`Attempt ${id}`} onClose={onClose} isWide>
      <Facts
        facts={[
          [
            "Endpoint",
            <Link key="to" href={hrefTo(pathOf("webhooks", endpoint))}>{endpoint}</Link>,
          ],
          ["Event", event],
          ["webhook-id", <span key="event" class="mono">evt_{eventId}</span>],
          ["Message", <span key="message" class="mono">{messageId}</span>],
          ["State", <DeliveryOutcome key="state" delivery={delivery} />],
          ["Attempt", String(attempt)],
          ["Took", formatDuration(durationMs)],
          ["Sent", <Time key="sent" at={delivery.sentAt} />],
          ["Error", error && <SafeText key="error" text={error} longest={2_000} />],
        ]}
      />
      <h3>First bytes of the answer</h3>
      {answer
        ? <RawText label="First bytes of the answer" text={answer} />
        : <p class="muted">There was no text.</p>}
    </Dialog>
  );
}
