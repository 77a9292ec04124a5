/** One dead letter in full: why it was given up, and its redrive, with another payload if need be. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Badge } from "../../components/badge.tsx";
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
import { factsOf, type FactValues, hasStamps, RelationsPanel } from "../messages/message-facts.tsx";
import { DeadLetterButtons } from "./dead-letter-buttons.tsx";
import { PayloadEditor } from "./payload-editor.tsx";

type DeadLetter = Schemas["FailedMessage"];

/** The page. */
export function DeadLetterPage({ params: { id = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const [isEditing, setEditing] = useState(false);
  const resource = useResource(
    `dead letter ${id}`,
    (signal) => answerOf(api.GET("/failed-messages/{id}", { params: { path: { id } }, signal })),
    { everyMs: 30_000 },
  );
  const { data, error, reload } = resource;
  const isGone = error?.isNotFound === true;
  return (
    <>
      <PageHeader
        title={`Dead letter ${id}`}
        above={<Link href={hrefTo("/dead-letters")}>Dead letters</Link>}
        beside={data && !isGone && <Badge tone="bad">{data.reason}</Badge>}
        actions={data && !isGone && canChange && (
          <DeadLetterButtons
            letter={data}
            isEditing={isEditing}
            onEdit={() => setEditing(!isEditing)}
            onDone={reload}
          />
        )}
      />
      {isGone && <Gone id={id} />}
      {/* If another operator redrives the letter meanwhile, the typed text stays in sight, to be copied. */}
      {(!isGone || (isEditing && data !== undefined)) && (
        <ResourceView resource={resource} skeletonRows={12}>
          {(letter) => (
            <Content letter={letter} isEditing={isEditing && canChange} onDone={reload} />
          )}
        </ResourceView>
      )}
    </>
  );
}

/** Tells whether it was redriven: then a message has its id. */
function Gone({ id }: { readonly id: string }): JSX.Element {
  const api = useApi();
  const message = useResource(
    `message ${id}`,
    (signal) => answerOf(api.GET("/messages/{id}", { params: { path: { id } }, signal })),
    { everyMs: null },
  );
  if (message.isLoading) return <ResourceView resource={message}>{() => null}</ResourceView>;
  return message.data
    ? (
      <Empty title="It was redriven">
        <Link href={hrefTo(pathOf("messages", id))}>To the message {id}</Link>
      </Empty>
    )
    : (
      <Empty title={`There is no dead letter ${id}`}>
        It was redriven and handled since, or removed. The action log says by whom.
      </Empty>
    );
}

interface ContentProps {
  readonly letter: DeadLetter;
  readonly isEditing: boolean;
  readonly onDone: () => void;
}

function Content({ letter, isEditing, onDone }: ContentProps): JSX.Element {
  return (
    <>
      {letter.error !== null && (
        <section class="panel last-error" aria-label="Last error">
          <SafeText text={letter.error} longest={4_000} />
        </section>
      )}
      <Facts facts={factsOf(valuesOf(letter))} />
      {isEditing
        ? <PayloadEditor letter={letter} onDone={onDone} />
        : <PayloadView title="Payload" value={letter.payload} />}
      <TimelineView source={letter} />
      {letter.relations && <RelationsPanel relations={letter.relations} />}
      {hasStamps(letter) && <PayloadView title="Stamps" value={letter.stamps} />}
    </>
  );
}

function valuesOf(letter: DeadLetter): FactValues {
  const { type, queue, priority, groupKey, createdAt, failedAt, redriven } = letter;
  return {
    "Type": (
      <Link href={hrefTo("/dead-letters", { type })}>
        <SafeText text={type} longest={200} />
      </Link>
    ),
    "Queue": <Link href={hrefTo(pathOf("queues", queue))}>{queue}</Link>,
    "Failed": <Time at={failedAt} />,
    "Dispatched": <Time at={createdAt} />,
    "Attempts": String(letter.attempts),
    "Retries": String(letter.retryCount),
    "Redriven before": redriven > 0 && String(redriven),
    "Priority": String(priority),
    "Group": groupKey !== null && <SafeText text={groupKey} longest={255} />,
  };
}
