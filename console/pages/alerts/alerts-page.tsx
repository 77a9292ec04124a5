/** Alerts: what they watch, where they are told, and what was told. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Button } from "../../components/controls.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { IfCanChange, useApi, useCanChange } from "../../shell/session.tsx";
import { AlertDeliveries } from "./alert-deliveries.tsx";
import { CreateAlert, EnableAlert } from "./alert-changes.tsx";
import { type Alert, AlertState } from "./alert-parts.tsx";
import { formatValue, limitOf, ruleWords } from "./alert-rules.ts";
import { Channels } from "./alert-channels.tsx";

const COLUMNS: readonly Column<Alert>[] = [
  { key: "name", title: "Alert", isName: true, cell: ({ name }) => name },
  { key: "state", title: "State", cell: (alert) => <AlertState alert={alert} /> },
  { key: "rule", title: "Fires on", isWide: true, cell: ({ rule }) => ruleWords(rule) },
  {
    key: "value",
    title: "Value",
    isNumber: true,
    cell: ({ rule, value }) => formatValue(rule, value),
  },
  { key: "limit", title: "Fires from", isNumber: true, cell: limitOf },
  { key: "channel", title: "Channel", cell: ({ channel }) => channel ?? "default" },
  { key: "since", title: "Since", isNumber: true, cell: ({ since }) => <Time at={since} /> },
];

/** The page. */
export function AlertsPage(_: PageProps): JSX.Element {
  const [query] = useQuery();
  const view = query.get("view");
  const [isCreating, setIsCreating] = useState(false);
  const close = () => setIsCreating(false);
  return (
    <>
      <PageHeader
        title="Alerts"
        actions={view !== "deliveries" && (
          <IfCanChange>
            <Button icon="plus" onClick={() => setIsCreating(true)}>
              {view === "channels" ? "New channel" : "New alert"}
            </Button>
          </IfCanChange>
        )}
      />
      <Tabs
        label="Lists"
        name="view"
        tabs={[["", "Alerts"], ["channels", "Channels"], ["deliveries", "Deliveries"]]}
      />
      {view === "deliveries"
        ? <AlertDeliveries />
        : view === "channels"
        ? <Channels isCreating={isCreating} onClose={close} />
        : <Alerts isCreating={isCreating} onClose={close} />}
    </>
  );
}

interface AlertsProps {
  readonly isCreating: boolean;
  readonly onClose: () => void;
}

function Alerts({ isCreating, onClose }: AlertsProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const alerts = useResource("alerts", (signal) => answerOf(api.GET("/alerts", { signal })));
  return (
    <>
      <ResourceView resource={alerts}>
        {({ alerts: rows }) =>
          rows.length === 0
            ? <Empty title="There are no alerts">A setup makes one of each rule.</Empty>
            : (
              <DataTable
                caption="Alerts by name"
                columns={COLUMNS}
                rows={rows}
                keyOf={({ name }) => name}
                hrefOf={({ name }) => hrefTo(pathOf("alerts", name))}
                toneOf={({ enabled, state }) => enabled && state === "firing" ? "bad" : undefined}
                actions={canChange
                  ? (alert) => <EnableAlert alert={alert} onDone={alerts.reload} />
                  : undefined}
              />
            )}
      </ResourceView>
      {isCreating && <CreateAlert onClose={onClose} onDone={alerts.reload} />}
    </>
  );
}
