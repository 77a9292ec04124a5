/** The transports beside home, and the messages that wait for them in the outbox. */

import type { JSX } from "preact";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, pathOf, useQuery } from "../../shell/router.tsx";
import { IfCanChange, useCanChange } from "../../shell/session.tsx";
import { OutboxList } from "./outbox-list.tsx";
import { DeclareQueues, PublishNow } from "./transport-buttons.tsx";
import {
  formatBytes,
  NextTry,
  routeWords,
  toneOf,
  type Transport,
  TransportState,
  useTransports,
} from "./transport-parts.tsx";

const COLUMNS: readonly Column<Transport>[] = [
  { key: "name", title: "Transport", isName: true, cell: ({ name }) => name },
  { key: "state", title: "State", cell: (transport) => <TransportState transport={transport} /> },
  {
    key: "routes",
    title: "Routes",
    cell: (transport) => <SafeText text={routeWords(transport)} longest={80} />,
  },
  {
    key: "failure",
    title: "Last error",
    isWide: true,
    cell: ({ failure }) => failure && <SafeText text={failure} longest={300} />,
  },
  {
    key: "retry",
    title: "Next try",
    isNumber: true,
    cell: (transport) => <NextTry transport={transport} />,
  },
  {
    key: "waiting",
    title: "Waiting",
    isNumber: true,
    cell: ({ waiting }) => formatCount(waiting),
  },
  { key: "bytes", title: "Size", isNumber: true, cell: ({ bytes }) => formatBytes(bytes) },
  {
    key: "oldest",
    title: "Oldest due",
    isNumber: true,
    cell: ({ oldestDueAt }) => <Time at={oldestDueAt} />,
  },
];

/** The page. */
export function TransportsPage(_: PageProps): JSX.Element {
  const [query] = useQuery();
  const isOutbox = query.get("view") === "outbox";
  return (
    <>
      <PageHeader
        title="Transports"
        actions={!isOutbox && (
          <IfCanChange>
            <DeclareQueues />
          </IfCanChange>
        )}
      />
      <Tabs label="Lists" name="view" tabs={[["", "Transports"], ["outbox", "Outbox"]]} />
      {isOutbox ? <OutboxList /> : <Transports />}
    </>
  );
}

function Transports(): JSX.Element {
  const canChange = useCanChange();
  const resource = useTransports();
  return (
    <ResourceView resource={resource} skeletonRows={3}>
      {({ transports }) =>
        transports.length === 0
          ? (
            <Empty title="There is no transport beside home">
              All messages are handled here. transports in the project's config names others.
            </Empty>
          )
          : (
            <DataTable
              caption="Transports beside home by name"
              columns={COLUMNS}
              rows={transports}
              keyOf={({ name }) => name}
              hrefOf={({ name }) => hrefTo(pathOf("transports", name))}
              toneOf={toneOf}
              actions={canChange
                ? ({ name, declared }) => declared && <PublishNow transport={name} />
                : undefined}
            />
          )}
    </ResourceView>
  );
}
