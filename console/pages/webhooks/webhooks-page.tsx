/** Webhook endpoints, and the attempts to deliver to them. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { Button } from "../../components/controls.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { IfCanChange, useApi, useCanChange } from "../../shell/session.tsx";
import { EnableEndpoint, TestEndpoint } from "./endpoint-buttons.tsx";
import { CreateEndpoint } from "./endpoint-dialogs.tsx";
import { type Endpoint, EndpointState, rateWords } from "./endpoint-parts.tsx";
import { WebhookDeliveries } from "./webhook-deliveries.tsx";

const COLUMNS: readonly Column<Endpoint>[] = [
  { key: "name", title: "Endpoint", isName: true, cell: ({ name }) => name },
  { key: "state", title: "State", cell: (endpoint) => <EndpointState endpoint={endpoint} /> },
  {
    key: "url",
    title: "URL",
    isWide: true,
    cell: ({ url }) => <SafeText text={url} longest={200} />,
  },
  {
    key: "events",
    title: "Events",
    cell: ({ events }) => <SafeText text={events.join(" ")} longest={120} />,
  },
  { key: "rate", title: "Rate limit", cell: rateWords },
  {
    key: "failing",
    title: "Failing since",
    isNumber: true,
    cell: ({ failingSince }) => <Time at={failingSince} />,
  },
];

/** The page. */
export function WebhooksPage(_: PageProps): JSX.Element {
  const [query] = useQuery();
  const [isCreating, setIsCreating] = useState(false);
  const isEndpoints = query.get("view") !== "deliveries";
  return (
    <>
      <PageHeader
        title="Webhooks"
        actions={isEndpoints && (
          <IfCanChange>
            <Button icon="plus" onClick={() => setIsCreating(true)}>New endpoint</Button>
          </IfCanChange>
        )}
      />
      <Tabs label="Lists" name="view" tabs={[["", "Endpoints"], ["deliveries", "Deliveries"]]} />
      {isEndpoints
        ? <Endpoints isCreating={isCreating} onClose={() => setIsCreating(false)} />
        : <WebhookDeliveries />}
    </>
  );
}

interface EndpointsProps {
  readonly isCreating: boolean;
  readonly onClose: () => void;
}

function Endpoints({ isCreating, onClose }: EndpointsProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const pages = usePages("endpoints", (page, signal) =>
    answerOf(api.GET("/webhooks", {
      params: { query: page },
      signal,
    })));
  const { reload } = pages.resource;
  return (
    <>
      <ResourceView resource={pages.resource}>
        {({ endpoints }) =>
          endpoints.length === 0
            ? <Empty title="There is no endpoint">An endpoint gets the events that it wants.</Empty>
            : (
              <DataTable
                caption="Webhook endpoints by name"
                columns={COLUMNS}
                rows={endpoints}
                keyOf={({ name }) => name}
                hrefOf={({ name }) => hrefTo(pathOf("webhooks", name))}
                toneOf={({ disabledBy, failingSince }) =>
                  disabledBy !== null ? "warn" : failingSince !== null ? "bad" : undefined}
                actions={canChange
                  ? (endpoint) => (
                    <span class="row-buttons">
                      <TestEndpoint endpoint={endpoint} onDone={reload} />
                      <EnableEndpoint endpoint={endpoint} onDone={reload} />
                    </span>
                  )
                  : undefined}
              />
            )}
      </ResourceView>
      <Pager pages={pages} count={pages.resource.data?.endpoints.length ?? 0} />
      {isCreating && <CreateEndpoint onClose={onClose} onDone={reload} />}
    </>
  );
}
