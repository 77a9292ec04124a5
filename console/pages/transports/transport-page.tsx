/** One transport: whether messages reach it, what leads to it, and its messages in the outbox. */

import type { ComponentChildren, JSX } from "preact";
import { Facts } from "../../components/facts.tsx";
import { FigureTile, FigureTiles } from "../../components/figure-tile.tsx";
import { Icon } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatCount, formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link } from "../../shell/router.tsx";
import { IfCanChange } from "../../shell/session.tsx";
import { OutboxList } from "./outbox-list.tsx";
import { PublishNow, SendAgain } from "./transport-buttons.tsx";
import {
  formatBytes,
  isAway,
  isForsaken,
  NextTry,
  routeWords,
  type Transport,
  TransportState,
  useTransports,
} from "./transport-parts.tsx";

/** The page. */
export function TransportPage({ params: { name = "" } }: PageProps): JSX.Element {
  const resource = useTransports();
  const found = resource.data?.transports.find((one) => one.name === name);
  return (
    <>
      <PageHeader
        title={name}
        above={<Link href={hrefTo("/transports")}>Transports</Link>}
        beside={found && <TransportState transport={found} />}
        actions={found?.declared && (
          <IfCanChange>
            <PublishNow transport={name} />
            <SendAgain transport={name} />
          </IfCanChange>
        )}
      />
      <ResourceView resource={resource} skeletonRows={3}>
        {() => found ? <Standing transport={found} /> : <Unknown />}
      </ResourceView>
      {found && (
        <>
          <h2>Outbox</h2>
          <OutboxList transport={name} />
        </>
      )}
    </>
  );
}

function Unknown(): JSX.Element {
  return (
    <Empty title="There is no such transport">
      The first tick of a deploy tells the database which ones the code declares.
    </Empty>
  );
}

function Standing({ transport }: { readonly transport: Transport }): JSX.Element {
  const { declared, received, waiting, due, bytes, oldestDueAt, refused } = transport;
  return (
    <>
      <Trouble transport={transport} />
      <FigureTiles>
        <FigureTile label="Waiting" value={formatCount(waiting)} note="in the outbox" />
        <FigureTile label="Due" value={formatCount(due)} />
        <FigureTile label="Size" value={formatBytes(bytes)} note="of those that wait" />
        <FigureTile label="Oldest due" value={<Time at={oldestDueAt} none="none" />} />
        <FigureTile
          label="Refused"
          value={formatNumber(refused)}
          note="tried again later"
          tone={refused > 0 ? "warn" : undefined}
        />
      </FigureTiles>
      <Facts
        facts={[
          ["Routes", <SafeText key="routes" text={routeWords(transport)} longest={2_000} />],
          ["Handled by", declared ? received ? "this project" : "another project" : null],
        ]}
      />
    </>
  );
}

/** The reason why messages do not reach it, and what to do. */
function Trouble({ transport }: { readonly transport: Transport }): JSX.Element | null {
  const { name, failures, failure } = transport;
  if (isForsaken(transport)) {
    return (
      <Note>
        The deployed code declares no transport{" "}
        {name}, so that its messages wait. Declare it again, or cancel them below.
      </Note>
    );
  }
  if (!isAway(transport)) return null;
  return (
    <Note>
      <p>
        {formatNumber(failures ?? 0)} {failures === 1 ? "failure" : "failures in a row"}:{" "}
        <SafeText text={failure ?? "without a text"} longest={2_000} />
      </p>
      <p>
        Next try: <NextTry transport={transport} />
      </p>
    </Note>
  );
}

function Note({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="note note-bad">
      <Icon name="bad" />
      <div class="note-text">
        {children}
      </div>
    </div>
  );
}
