/** Deliveries of alerts: what was told, where, and whether it arrived. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { useResource } from "../../api/use-resource.ts";
import { ChangeButton } from "../../components/change-button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Facts } from "../../components/facts.tsx";
import { Pager } from "../../components/pager.tsx";
import { ChoiceFilter, TextFilter } from "../../components/query-filters.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { PayloadView } from "../../payload/payload-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, usePlace, useQuery } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { type Delivery, DeliveryState } from "./alert-parts.tsx";

const EVENTS: Readonly<Record<Delivery["event"], string>> = {
  firing: "Firing",
  resolved: "Resolved",
  test: "Test",
};
const COLUMNS: readonly Column<Delivery>[] = [
  { key: "id", title: "Id", isName: true, cell: ({ id }) => <span class="mono">{id}</span> },
  { key: "alert", title: "Alert", cell: ({ alert }) => alert ?? "–" },
  { key: "event", title: "Told", cell: ({ event }) => EVENTS[event] },
  { key: "channel", title: "Channel", cell: ({ channel }) => channel },
  { key: "state", title: "State", cell: (delivery) => <DeliveryState delivery={delivery} /> },
  { key: "attempts", title: "Attempts", isNumber: true, cell: ({ attempts }) => attempts },
  {
    key: "error",
    title: "Error",
    isWide: true,
    cell: ({ error }) => error && <SafeText text={error} longest={300} />,
  },
  {
    key: "created",
    title: "Written",
    isNumber: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
];
const STATUSES = ["pending", "sent", "delivered", "failed"] as const;

/** Properties of the list. */
export interface AlertDeliveriesProps {
  /** The alert, on its own page; left out, a filter tells. */
  readonly alert?: string;
}

/** Shows the deliveries that match the address, and one of them in full. */
export function AlertDeliveries({ alert }: AlertDeliveriesProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const { path, query: place } = usePlace();
  const [, setQuery] = useQuery();
  const status = STATUSES.find((one) => one === place.get("status"));
  const filter = {
    alert: alert ?? place.get("alert") ?? "",
    channel: place.get("channel") ?? "",
    ...(status && { status }),
  };
  const pages = usePages(`deliveries ${JSON.stringify(filter)}`, (page, signal) => {
    const set = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
    return answerOf(
      api.GET("/alert-deliveries", { params: { query: { ...page, ...set } }, signal }),
    );
  });
  const shown = place.get("delivery");
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    <>
      <DeliveryFilters hasAlert={alert === undefined} />
      <ResourceView resource={pages.resource}>
        {({ deliveries }) =>
          deliveries.length === 0 ? <Nothing isFiltered={isFiltered} /> : (
            <DataTable
              caption="Deliveries of alerts, the latest first"
              columns={COLUMNS}
              rows={deliveries}
              keyOf={({ id }) => id}
              hrefOf={({ id }) => hrefTo(path, { ...Object.fromEntries(place), delivery: id })}
              toneOf={({ status }) => status === "failed" ? "bad" : undefined}
              actions={canChange
                ? (delivery) => <SendAgain delivery={delivery} onDone={pages.resource.reload} />
                : undefined}
            />
          )}
      </ResourceView>
      <Pager pages={pages} count={pages.resource.data?.deliveries.length ?? 0} />
      {shown && <DeliveryDialog id={shown} onClose={() => setQuery({ delivery: null })} />}
    </>
  );
}

function DeliveryFilters({ hasAlert }: { readonly hasAlert: boolean }): JSX.Element {
  return (
    <div class="filter-row">
      {hasAlert && <TextFilter label="Alert" name="alert" isFirst />}
      <TextFilter label="Channel" name="channel" />
      <ChoiceFilter
        label="State"
        name="status"
        choices={[["", "All"], ["failed", "Failed"], ["pending", "Waits"], ["sent", "Sent"], [
          "delivered",
          "Delivered",
        ]]}
      />
    </div>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  return isFiltered
    ? <Empty title="No delivery matches">Names are compared as a whole.</Empty>
    : <Empty title="Nothing was told">An alert that fires is told on its channel.</Empty>;
}

interface SendAgainProps {
  readonly delivery: Delivery;
  readonly onDone: () => void;
}

/** A delivery that has arrived or is on its way is not sent again. */
function SendAgain({ delivery: { id, status }, onDone }: SendAgainProps): JSX.Element | null {
  const api = useApi();
  if (status !== "failed" && status !== "pending") return null;
  const change = async () => {
    await answerOf(api.POST("/alert-deliveries/{id}/retry", { params: { path: { id } } }));
    return `Delivery ${id} is sent again`;
  };
  return (
    <ChangeButton icon="reload" label={`Send again: delivery ${id}`} {...{ change, onDone }}>
      Send again
    </ChangeButton>
  );
}

function DeliveryDialog(
  { id, onClose }: { readonly id: string; readonly onClose: () => void },
): JSX.Element {
  const api = useApi();
  const delivery = useResource(
    `delivery ${id}`,
    (signal) => answerOf(api.GET("/alert-deliveries/{id}", { params: { path: { id } }, signal })),
  );
  return (
    <Dialog title={`Delivery ${id}`} onClose={onClose} isWide>
      <ResourceView resource={delivery} skeletonRows={4}>
        {(delivery) => (
          <>
            <Facts
              facts={[
                ["Alert", delivery.alert ?? "a test of the channel"],
                ["Channel", delivery.channel],
                ["State", <DeliveryState key="state" delivery={delivery} />],
                ["Attempts", String(delivery.attempts)],
                ["Error", delivery.error && <SafeText key="error" text={delivery.error} />],
                [
                  "Next attempt",
                  delivery.finishedAt === null
                    ? <Time key="next" at={delivery.nextAttemptAt} />
                    : null,
                ],
                ["Finished", <Time key="finished" at={delivery.finishedAt} none="not yet" />],
                ["webhook-id", <span key="id" class="mono">{delivery.webhookId}</span>],
              ]}
            />
            <PayloadView title="Content" value={delivery.body} />
          </>
        )}
      </ResourceView>
    </Dialog>
  );
}
