/** One message in full, and where it went if it no longer waits or runs. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Facts } from "../../components/facts.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { PayloadView } from "../../payload/payload-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { TimelineView } from "../../timeline/timeline-view.tsx";
import { MessageButtons } from "./message-buttons.tsx";
import { factsOf, type FactValues, hasStamps, RelationsPanel } from "./message-facts.tsx";
import { MessageState } from "./message-state.tsx";

type Message = Schemas["Message"];

/** The page. */
export function MessagePage({ params: { id = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const resource = useResource(
    `message ${id}`,
    (signal) => answerOf(api.GET("/messages/{id}", { params: { path: { id } }, signal })),
  );
  const { data, error, reload } = resource;
  const isGone = error?.isNotFound === true;
  return (
    <>
      <PageHeader
        title={`Message ${id}`}
        above={<Link href={hrefTo("/messages")}>Messages</Link>}
        beside={data && !isGone && <MessageState message={data} />}
        actions={data && !isGone && canChange && <MessageButtons message={data} onDone={reload} />}
      />
      {isGone && <Gone id={id} />}
      {isGone
        ? data && <Content message={data} />
        : (
          <ResourceView resource={resource} skeletonRows={12}>
            {(message) => <Content message={message} />}
          </ResourceView>
        )}
    </>
  );
}

/** Tells whether it is a dead letter now; handled messages are deleted. */
function Gone({ id }: { readonly id: string }): JSX.Element {
  const api = useApi();
  const dead = useResource(
    `dead letter ${id}`,
    (signal) => answerOf(api.GET("/failed-messages/{id}", { params: { path: { id } }, signal })),
    { everyMs: null },
  );
  if (dead.isLoading) return <ResourceView resource={dead}>{() => null}</ResourceView>;
  return dead.data
    ? (
      <Empty title="It is a dead letter now">
        <Link href={hrefTo(pathOf("dead-letters", id))}>To the dead letter {id}</Link>
      </Empty>
    )
    : (
      <Empty title="It neither waits nor runs">
        Handled messages are deleted. If there never was a message {id}, the link is wrong.
      </Empty>
    );
}

function Content({ message }: { readonly message: Message }): JSX.Element {
  return (
    <>
      <Facts facts={factsOf(valuesOf(message))} />
      <PayloadView title="Payload" value={message.payload} />
      <TimelineView source={message} />
      {message.relations && <RelationsPanel relations={message.relations} />}
      {hasStamps(message) && <PayloadView title="Stamps" value={message.stamps} />}
    </>
  );
}

function valuesOf(message: Message): FactValues {
  const { type, queue, priority, groupKey, dedupeKey, availableAt, expiresAt, createdAt } = message;
  return {
    "Type": <SafeText text={type} longest={200} />,
    "Queue": <Link href={hrefTo(pathOf("queues", queue))}>{queue}</Link>,
    "Dispatched": <Time at={createdAt} />,
    "Due": <Time at={availableAt} />,
    "Priority": String(priority),
    "Attempts": String(message.attempts),
    "Retries": String(message.retryCount),
    "Snoozes": message.snoozes > 0 && String(message.snoozes),
    "Interruptions": message.interruptions > 0 && String(message.interruptions),
    "Group": groupKey !== null && <SafeText text={groupKey} longest={255} />,
    "Dedupe key": dedupeKey !== null && <SafeText text={dedupeKey} longest={255} />,
    "Expires": expiresAt && <Time at={expiresAt} />,
    "Lease until": message.leasedUntil && <Time at={message.leasedUntil} />,
  };
}
